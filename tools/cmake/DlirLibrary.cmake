# libdlir: ir/, dialects/ (with the code that opgen makes from their specs) and passes/.

file(GLOB ir_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/ir/*.c)
file(GLOB dialect_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/dialects/*.c
     ${CMAKE_SOURCE_DIR}/dialects/*/*.c)
file(GLOB pass_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/passes/*.c
     ${CMAKE_SOURCE_DIR}/passes/*/*.c)
file(GLOB opgen_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/opgen/*.c)
file(GLOB dialect_specs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/dialects/*/*.yaml)

set(dlir_libraries PkgConfig::YAML ${CMAKE_DL_LIBS} m)

# opgen runs before libdlir exists, so both are made of the same objects of ir/.
add_library(dlir-ir OBJECT ${ir_sources})
target_link_libraries(dlir-ir PUBLIC ${dlir_libraries})

set(generated_sources)
set(DLIR_GENERATED_HEADERS)
if(opgen_sources AND dialect_specs)
  add_executable(opgen ${opgen_sources} $<TARGET_OBJECTS:dlir-ir>)
  target_link_libraries(opgen PRIVATE ${dlir_libraries})
  set_target_properties(opgen PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
  foreach(spec ${dialect_specs})
    get_filename_component(dialect ${spec} NAME_WE)
    get_filename_component(folder ${spec} DIRECTORY)
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${folder})
    set(base ${CMAKE_BINARY_DIR}/${folder}/${dialect}_ops)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/${folder})
    add_custom_command(
      OUTPUT ${base}.h ${base}.c
      COMMAND opgen --header ${base}.h --source ${base}.c ${folder}/${dialect}.yaml
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
      DEPENDS opgen ${spec} VERBATIM)
    list(APPEND generated_sources ${base}.c)
    list(APPEND DLIR_GENERATED_HEADERS ${base}.h)
  endforeach()
endif()

add_library(dlir SHARED $<TARGET_OBJECTS:dlir-ir> ${dialect_sources} ${pass_sources}
            ${generated_sources} ${DLIR_GENERATED_HEADERS})
target_link_libraries(dlir PRIVATE ${dlir_libraries})
target_include_directories(dlir INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/dlir>)
set_target_properties(dlir PROPERTIES
  LINKER_LANGUAGE C
  VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LIBRARY_OUTPUT_DIRECTORY ${DLIR_LIB_DIR})
# The fuzz targets see what libdlir.so hides.
if(DLIR_FUZZ)
  add_library(dlir-fuzz STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:dlir-ir> ${dialect_sources}
              ${pass_sources} ${generated_sources} ${DLIR_GENERATED_HEADERS})
  target_link_libraries(dlir-fuzz PUBLIC ${dlir_libraries})
endif()
# Sanitizers leave their own functions to the executable.
if(NOT DLIR_SANITIZE)
  target_link_options(dlir PRIVATE LINKER:--no-undefined)
endif()
