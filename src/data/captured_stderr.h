// Capture of what libpng, libjpeg, libtiff and OpenCV print to standard error while an image is decoded.
//
// They report problems in no other way: a truncated JPEG comes back as a half-grey picture and one printed line. File
// descriptor 2 belongs to the process, so only one capture exists at a time. Output of other threads is printed when it
// ends: a line is withheld only if it starts as the decoders' lines do.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace roundtrip::data {

class CapturedStderr {
 public:
  CapturedStderr();  // waits for another capture to end; captures nothing if there is no standard error
  ~CapturedStderr();
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::vector<std::string> finish();  // ends the capture; returns the decoders' lines

 private:
  std::unique_lock<std::mutex> turn_;
  int buffer_ = -1;  // an anonymous file
  int saved_ = -1;   // the true standard error
};

}  // namespace roundtrip::data
