# Defines the target roundtrip::opencv: core, imgproc and imgcodecs. Debian's package with OpenCVConfig.cmake depends on
# every OpenCV module with Qt and VTK; the three modules used here have separate development packages.
find_path(opencv_include opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
add_library(roundtrip_opencv INTERFACE)
add_library(roundtrip::opencv ALIAS roundtrip_opencv)
target_include_directories(roundtrip_opencv SYSTEM INTERFACE ${opencv_include})
foreach(module core imgproc imgcodecs)
  find_library(opencv_${module} opencv_${module} REQUIRED)
  target_link_libraries(roundtrip_opencv INTERFACE ${opencv_${module}})
endforeach()
