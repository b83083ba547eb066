// Holds back what libpng, libjpeg, libtiff and OpenCV print to the standard error while an image is decoded.
//
// They have no other voice: a JPEG that ends early comes back as a half-grey picture and one printed line.
// File descriptor 2 belongs to the process, so only one capture lives at a time, and whatever other threads
// print meanwhile is printed when it ends: a line is withheld only if it starts as the decoders' lines do.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace roundtrip::data {

class CapturedStderr {
 public:
  CapturedStderr();  // waits for another capture to end; captures nothing where there is no standard error
  ~CapturedStderr();
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::vector<std::string> finish();  // ends the capture; the decoders' lines

 private:
  std::unique_lock<std::mutex> turn_;
  int buffer_ = -1;  // an anonymous file
  int saved_ = -1;   // the true standard error
};

}  // namespace roundtrip::data
