// opencl.c: OpenCL devices (2.1 and later, with SPIR-V). The system's loader is looked for when a
// session opens, so that a model library needs nothing but libc.
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets/runtime/device.h"

#define FUNCTIONS(X)                    \
  X(clGetPlatformIDs)                   \
  X(clGetDeviceIDs)                     \
  X(clGetDeviceInfo)                    \
  X(clCreateContext)                    \
  X(clReleaseContext)                   \
  X(clCreateCommandQueueWithProperties) \
  X(clReleaseCommandQueue)              \
  X(clCreateProgramWithIL)              \
  X(clBuildProgram)                     \
  X(clGetProgramBuildInfo)              \
  X(clReleaseProgram)                   \
  X(clCreateKernel)                     \
  X(clReleaseKernel)                    \
  X(clSetKernelArg)                     \
  X(clCreateBuffer)                     \
  X(clReleaseMemObject)                 \
  X(clEnqueueReadBuffer)                \
  X(clEnqueueWriteBuffer)               \
  X(clEnqueueCopyBuffer)                \
  X(clEnqueueNDRangeKernel)             \
  X(clWaitForEvents)                    \
  X(clGetEventProfilingInfo)            \
  X(clReleaseEvent)

typedef struct opencl {
  dlir_session *session;
  const dlrt_device_program *program;
  cl_device_id device;
  cl_context context;
  cl_command_queue queue;
  cl_program code;
  uint64_t num_kernels;
  cl_kernel *kernels;  // per launch
  char name[256], label[300];
#define POINTER(function) __typeof__(function) *function;
  FUNCTIONS(POINTER)
#undef POINTER
} opencl;

static dlir_status check(opencl *cl, cl_int code, const char *what) {
  if (code == CL_SUCCESS) return DLIR_OK;
  bool memory = code == CL_MEM_OBJECT_ALLOCATION_FAILURE || code == CL_OUT_OF_RESOURCES ||
                code == CL_OUT_OF_HOST_MEMORY || code == CL_INVALID_BUFFER_SIZE;
  return dlrt_fail(cl->session, memory ? DLIR_OUT_OF_MEMORY : DLIR_SYSTEM_ERROR,
                   "%s: %s failed (%d)", cl->label, what, (int)code);
}

// --- finding a device ---

static dlir_status load(opencl *cl) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlrt_fail(cl->session, DLIR_UNSUPPORTED, "no OpenCL device: %s", dlerror());
#define LOOK_UP(function)                                                  \
  if (!(cl->function = (__typeof__(function) *)dlsym(library, #function))) \
    return dlrt_fail(cl->session, DLIR_UNSUPPORTED,                        \
                     "no OpenCL device: libOpenCL.so.1 is older "          \
                     "than OpenCL 2.1");
  FUNCTIONS(LOOK_UP)
#undef LOOK_UP
  return DLIR_OK;
}

static bool takes_spirv(const opencl *cl, cl_device_id device) {
  char versions[256] = "";
  return !cl->clGetDeviceInfo(device, CL_DEVICE_IL_VERSION, sizeof(versions), versions, NULL) &&
         strstr(versions, "SPIR-V");
}

// DLIR_OPENCL_DEVICE: a part of the name of the device that is wanted.
static bool is_wanted(opencl *cl, cl_device_id device) {
  const char *wanted = getenv("DLIR_OPENCL_DEVICE");
  if (cl->clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof(cl->name), cl->name, NULL))
    cl->name[0] = 0;
  return !wanted || strstr(cl->name, wanted);
}

static bool find_on(opencl *cl, cl_platform_id platform, cl_device_type type) {
  enum { MOST = 16 };
  cl_device_id devices[MOST];
  cl_uint count = 0;
  if (cl->clGetDeviceIDs(platform, type, MOST, devices, &count)) return false;
  for (cl_uint i = 0; i < count && i < MOST; i++) {
    if (!takes_spirv(cl, devices[i]) || !is_wanted(cl, devices[i])) continue;
    cl->device = devices[i];
    snprintf(cl->label, sizeof(cl->label), "OpenCL device '%s'", cl->name);
    return true;
  }
  return false;
}

// GPUs first.
static dlir_status find_device(opencl *cl) {
  enum { MOST = 16 };
  static const cl_device_type types[] = {CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ALL};
  cl_platform_id platforms[MOST];
  cl_uint count = 0;
  if (cl->clGetPlatformIDs(MOST, platforms, &count)) count = 0;
  for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++)
    for (cl_uint i = 0; i < count && i < MOST; i++)
      if (find_on(cl, platforms[i], types[t])) return DLIR_OK;
  const char *wanted = getenv("DLIR_OPENCL_DEVICE");
  return dlrt_fail(
      cl->session, DLIR_UNSUPPORTED, "no OpenCL device%s%s%s that takes SPIR-V (of %u platforms)",
      wanted ? " named '" : "", wanted ? wanted : "", wanted ? "'" : "", (unsigned)count);
}

// --- opening and closing ---

static dlir_status create_queue(opencl *cl) {
  cl_int code;
  cl->context = cl->clCreateContext(NULL, 1, &cl->device, NULL, NULL, &code);
  if (code) return check(cl, code, "clCreateContext");
  const cl_queue_properties profiling[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
  cl->queue = cl->clCreateCommandQueueWithProperties(
      cl->context, cl->device, cl->session->profiling ? profiling : NULL, &code);
  return check(cl, code, "clCreateCommandQueueWithProperties");
}

static dlir_status fail_to_build(opencl *cl) {
  char log[256] = "";
  cl->clGetProgramBuildInfo(cl->code, cl->device, CL_PROGRAM_BUILD_LOG, sizeof(log) - 1, log, NULL);
  return dlrt_fail(cl->session, DLIR_UNSUPPORTED, "%s refuses the model's code: %s", cl->label,
                   log);
}

static dlir_status build(opencl *cl) {
  cl_device_fp_config floats = 0;
  cl->clGetDeviceInfo(cl->device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof(floats), &floats, NULL);
  bool exact = floats & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;
  cl_int code;
  cl->code =
      cl->clCreateProgramWithIL(cl->context, cl->program->code, cl->program->code_size, &code);
  if (code) return check(cl, code, "clCreateProgramWithIL");
  code = cl->clBuildProgram(cl->code, 1, &cl->device,
                            exact ? "-cl-fp32-correctly-rounded-divide-sqrt" : "", NULL, NULL);
  return code ? fail_to_build(cl) : DLIR_OK;
}

static dlir_status create_kernels(opencl *cl, uint64_t num_launches) {
  cl->kernels = calloc(num_launches + 1, sizeof(*cl->kernels));
  if (!cl->kernels) return dlrt_fail(cl->session, DLIR_OUT_OF_MEMORY, "out of memory");
  for (; cl->num_kernels < num_launches; cl->num_kernels++) {
    cl_int code;
    const char *name = cl->program->launches[cl->num_kernels].kernel;
    cl->kernels[cl->num_kernels] = cl->clCreateKernel(cl->code, name, &code);
    if (code) return check(cl, code, name);
  }
  return DLIR_OK;
}

static dlir_status opencl_open(dlir_session *session, const dlrt_device_program *program,
                               uint64_t num_launches, void **device) {
  opencl *cl = *device = calloc(1, sizeof(*cl));
  if (!cl) return dlrt_fail(session, DLIR_OUT_OF_MEMORY, "out of memory");
  cl->session = session;
  cl->program = program;
  dlir_status status = load(cl);
  if (!status) status = find_device(cl);
  if (!status) status = create_queue(cl);
  if (!status && num_launches) status = build(cl);
  return status ? status : create_kernels(cl, num_launches);
}

// The loader stays: implementations do not survive being unloaded.
static void opencl_close(void *device) {
  opencl *cl = device;
  for (uint64_t i = 0; i < cl->num_kernels; i++) cl->clReleaseKernel(cl->kernels[i]);
  if (cl->code) cl->clReleaseProgram(cl->code);
  if (cl->queue) cl->clReleaseCommandQueue(cl->queue);
  if (cl->context) cl->clReleaseContext(cl->context);
  free(cl->kernels);
  free(cl);
}

static const char *opencl_name(const void *device) { return ((const opencl *)device)->label; }

// --- memory ---

static dlir_status opencl_allocate(void *device, uint64_t bytes, void **memory) {
  opencl *cl = device;
  cl_int code;
  *memory = cl->clCreateBuffer(cl->context, CL_MEM_READ_WRITE, bytes, NULL, &code);
  return check(cl, code, "clCreateBuffer");
}

static void opencl_release(void *device, void *memory) {
  if (memory) ((opencl *)device)->clReleaseMemObject(memory);
}

static dlir_status opencl_write(void *device, dlrt_place to, const void *from, uint64_t bytes) {
  opencl *cl = device;
  return check(cl,
               cl->clEnqueueWriteBuffer(cl->queue, to.memory, CL_TRUE, to.offset, bytes, from, 0,
                                        NULL, NULL),
               "clEnqueueWriteBuffer");
}

static dlir_status opencl_read(void *device, dlrt_place from, void *to, uint64_t bytes) {
  opencl *cl = device;
  return check(cl,
               cl->clEnqueueReadBuffer(cl->queue, from.memory, CL_TRUE, from.offset, bytes, to, 0,
                                       NULL, NULL),
               "clEnqueueReadBuffer");
}

static dlir_status opencl_copy(void *device, dlrt_place from, dlrt_place to, uint64_t bytes) {
  opencl *cl = device;
  return check(cl,
               cl->clEnqueueCopyBuffer(cl->queue, from.memory, to.memory, from.offset, to.offset,
                                       bytes, 0, NULL, NULL),
               "clEnqueueCopyBuffer");
}

// --- launches ---

enum { MAX_DIMENSIONS = 3 };  // as targets/llvm/emit_device.c lays out kernels

// Pointers are a buffer and an offset; grids of more indices than the ND-range pass their extents.
static cl_int set_arguments(opencl *cl, uint64_t launch, const uint64_t *slots,
                            const dlrt_place *places) {
  const dlrt_device_launch *info = &cl->program->launches[launch];
  cl_kernel kernel = cl->kernels[launch];
  cl_uint next = 0;
  cl_int code = CL_SUCCESS;
  size_t i = 0;
  for (; info->arguments[i] && !code; i++) {
    bool pointer = info->arguments[i] == 'p';
    if (pointer) {
      cl_mem memory = places[i].memory;
      code = cl->clSetKernelArg(kernel, next++, sizeof(memory), &memory);
    }
    size_t bytes = pointer ? sizeof(uint64_t) : (size_t)(info->arguments[i] - '0');
    if (!code)
      code = cl->clSetKernelArg(kernel, next++, bytes, pointer ? &places[i].offset : &slots[i]);
  }
  for (uint64_t d = 0; info->rank > MAX_DIMENSIONS && d < info->rank && !code; d++)
    code = cl->clSetKernelArg(kernel, next++, sizeof(uint64_t), &slots[i + d]);
  return code;
}

// The last index is dimension 0; dimension 2 has all that are left.
static void fill_range(uint64_t rank, const uint64_t *extents, size_t range[MAX_DIMENSIONS]) {
  for (size_t d = 0; d < MAX_DIMENSIONS; d++) range[d] = 1;
  for (uint64_t i = 0; i < rank; i++) {
    uint64_t from_end = rank - 1 - i;
    range[from_end < MAX_DIMENSIONS ? from_end : MAX_DIMENSIONS - 1] *= extents[i];
  }
}

static cl_int wait_and_measure(opencl *cl, cl_event event, uint64_t *nanoseconds) {
  cl_ulong begin = 0, end = 0;
  cl_int code = cl->clWaitForEvents(1, &event);
  if (!code)
    code =
        cl->clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof(begin), &begin, NULL);
  if (!code)
    code = cl->clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof(end), &end, NULL);
  cl->clReleaseEvent(event);
  *nanoseconds = end - begin;
  return code;
}

static dlir_status opencl_launch(void *device, uint64_t launch, const uint64_t *slots,
                                 const dlrt_place *places, uint64_t *nanoseconds) {
  opencl *cl = device;
  const dlrt_device_launch *info = &cl->program->launches[launch];
  cl_int code = set_arguments(cl, launch, slots, places);
  if (code) return check(cl, code, info->kernel);
  size_t range[MAX_DIMENSIONS];
  fill_range(info->rank, slots + strlen(info->arguments), range);
  cl_event event;
  code = cl->clEnqueueNDRangeKernel(cl->queue, cl->kernels[launch], MAX_DIMENSIONS, NULL, range,
                                    NULL, 0, NULL, nanoseconds ? &event : NULL);
  if (!code && nanoseconds) code = wait_and_measure(cl, event, nanoseconds);
  return check(cl, code, info->kernel);
}

const dlrt_driver dlrt_opencl = {.open = opencl_open,
                                 .close = opencl_close,
                                 .name = opencl_name,
                                 .allocate = opencl_allocate,
                                 .release = opencl_release,
                                 .write = opencl_write,
                                 .read = opencl_read,
                                 .copy = opencl_copy,
                                 .launch = opencl_launch};
