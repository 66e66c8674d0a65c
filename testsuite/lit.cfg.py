# lit's configuration; the build tree's paths come from lit.site.cfg.py.
import os
import subprocess

import lit.formats

config.name = "dlir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".dlir", ".test", ".yaml"]
config.excludes = ["Inputs", "models", "unit", "conformance", "faults", "lit.cfg.py", "CMakeLists.txt"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.dlir_build_dir, "testsuite")

llvm_bin = os.path.dirname(os.path.realpath(config.filecheck))
tools_dir = os.path.join(config.dlir_build_dir, "tools")
config.environment["PATH"] = os.pathsep.join(
    [tools_dir, llvm_bin, "/usr/lib/llvm-22/bin", os.environ["PATH"]])
config.environment["FILECHECK_OPTS"] = "--allow-unused-prefixes=false"
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "OCL_ICD_VENDORS",
             "LD_LIBRARY_PATH"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions.append(("%build", config.dlir_build_dir))
config.substitutions.append(("%source", config.dlir_source_dir))
config.substitutions.append(("%cc", config.cc))
config.substitutions.append(("%shlibext", ".so"))
config.substitutions.append(("%python", config.python))
# Compiles a plugin against the source tree.
config.substitutions.append(
    ("%plugin_flags", "-std=gnu17 -shared -fPIC -I%s -I%s -L%s -ldlir" % (
        config.dlir_source_dir, config.dlir_build_dir, os.path.join(config.dlir_build_dir, "lib"))))

if config.sanitize:
    config.available_features.add("sanitize")
for feature, path in (("llvm", "lib/dlir/libdlir-target-llvm.so"),
                      ("onnx", "lib/dlir/libdlir-target-onnx.so"),
                      ("spirv", "lib/dlir/libdlir-target-spirv.so")):
    if os.path.exists(os.path.join(config.dlir_build_dir, path)):
        config.available_features.add(feature)
if os.path.exists("/usr/lib/llvm-22/bin/mlir-opt"):
    config.available_features.add("mlir-opt")
    config.substitutions.append(("%mlir-opt", "/usr/lib/llvm-22/bin/mlir-opt"))
if "spirv" in config.available_features:
    probe = subprocess.run(
        [config.python, os.path.join(config.test_source_root, "find_opencl_device.py")],
        capture_output=True, text=True)
    if probe.returncode == 0:
        config.available_features.add("opencl-device")
    else:
        lit_config.note("tests that need 'opencl-device' are skipped: " + probe.stderr.strip())
