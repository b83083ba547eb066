#include "data/png.h"

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/error.h"

namespace roundtrip::data {

void write_png(const std::filesystem::path& path, const Image& image) {
  const cv::Mat rgb(image.height, image.width, CV_8UC3, const_cast<uint8_t*>(image.rgb.data()));
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  std::filesystem::path partial = path;
  partial.replace_extension(".partial.png");  // OpenCV chooses the format by the extension
  bool written = false;
  try {
    written = cv::imwrite(partial.string(), bgr);
  } catch (const cv::Exception&) {
    written = false;
  }
  std::error_code error;
  if (written) std::filesystem::rename(partial, path, error);
  if (!written || error) {
    std::filesystem::remove(partial, error);
    throw input_error(path.string(), "the image cannot be written", "a writable folder and free disk space");
  }
}

}  // namespace roundtrip::data
