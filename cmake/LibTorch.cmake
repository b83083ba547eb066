# Defines the target roundtrip::torch: the LibTorch inside a PyTorch wheel, or an unpacked libtorch.
#
# The stock find_package(Torch) fails if the wheel is a CUDA build and no CUDA toolkit is installed. A program without
# its own device code needs only headers and shared libraries, so this target has just those.
# Search order: ROUNDTRIP_PYTHON's torch, CMAKE_PREFIX_PATH, the repository's .venv.

set(candidates)
if(DEFINED ENV{ROUNDTRIP_PYTHON} AND NOT ROUNDTRIP_PYTHON)
  set(ROUNDTRIP_PYTHON "$ENV{ROUNDTRIP_PYTHON}")
endif()
if(NOT ROUNDTRIP_PYTHON AND NOT CMAKE_PREFIX_PATH AND NOT DEFINED ENV{CMAKE_PREFIX_PATH})
  set(ROUNDTRIP_PYTHON "${PROJECT_SOURCE_DIR}/.venv/bin/python")
endif()
if(ROUNDTRIP_PYTHON)
  # find_spec instead of import: importing torch takes seconds.
  execute_process(
    COMMAND "${ROUNDTRIP_PYTHON}" -c
            "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE wheel OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  list(APPEND candidates "${wheel}")
endif()
string(REPLACE ":" ";" environment_prefixes "$ENV{CMAKE_PREFIX_PATH}")
foreach(prefix ${CMAKE_PREFIX_PATH} ${environment_prefixes})
  list(APPEND candidates "${prefix}" "${prefix}/..") # torch.utils.cmake_prefix_path is <torch>/share/cmake
  list(APPEND candidates "${prefix}/../..")
endforeach()

foreach(candidate ${candidates})
  if(EXISTS "${candidate}/include/ATen/ATen.h" AND EXISTS "${candidate}/lib/libtorch_cpu.so")
    get_filename_component(torch_root "${candidate}" REALPATH)
    break()
  endif()
endforeach()
if(NOT torch_root)
  message(FATAL_ERROR "LibTorch not found. Run scripts/setup, or set ROUNDTRIP_PYTHON to a Python that has torch, "
                      "or CMAKE_PREFIX_PATH to an unpacked libtorch. Looked in: ${candidates}")
endif()
message(STATUS "LibTorch: ${torch_root}")

# SYSTEM suppresses warnings from LibTorch's headers.
add_library(roundtrip_torch INTERFACE)
add_library(roundtrip::torch ALIAS roundtrip_torch)
target_include_directories(roundtrip_torch SYSTEM INTERFACE "${torch_root}/include"
                                                            "${torch_root}/include/torch/csrc/api/include")
set(names torch torch_cpu c10)
if(EXISTS "${torch_root}/lib/libtorch_cuda.so")
  list(APPEND names torch_cuda c10_cuda)
  target_compile_definitions(roundtrip_torch INTERFACE ROUNDTRIP_HAS_CUDA)
endif()
# --no-as-needed: libtorch_cuda registers its kernels when loaded and exports nothing that we call.
target_link_libraries(roundtrip_torch INTERFACE -Wl,--push-state,--no-as-needed)
foreach(name ${names})
  target_link_libraries(roundtrip_torch INTERFACE "${torch_root}/lib/lib${name}.so")
endforeach()
target_link_libraries(roundtrip_torch INTERFACE -Wl,--pop-state)
set(ROUNDTRIP_TORCH_LIB "${torch_root}/lib")

# at::parallel_for is silently a plain loop in a file compiled without OpenMP. The OpenMP runtime must be LibTorch's own
# copy: with a second one, LibTorch would not know that it is already called from a parallel region.
find_package(OpenMP REQUIRED COMPONENTS CXX)
target_compile_options(roundtrip_torch INTERFACE ${OpenMP_CXX_FLAGS})
file(GLOB torch_openmp "${torch_root}/lib/libgomp*.so*")
if(torch_openmp AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_link_libraries(roundtrip_torch INTERFACE ${torch_openmp})
else()
  target_link_libraries(roundtrip_torch INTERFACE OpenMP::OpenMP_CXX)
endif()

# The wheel has its own copy of fmt in its include folder; our files must use the system's.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/include")
find_path(system_fmt fmt/format.h PATHS /usr/include NO_DEFAULT_PATH)
if(system_fmt)
  file(CREATE_LINK "${system_fmt}/fmt" "${PROJECT_BINARY_DIR}/include/fmt" SYMBOLIC)
endif()
