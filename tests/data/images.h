// Pictures that tests write with OpenCV, and error texts that they look for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/error.h"
#include "data/sample.h"

namespace roundtrip::data {

// Every value differs from its neighbours.
inline Image pattern(int height, int width) {
  Image image{.height = height, .width = width, .rgb = {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) image.rgb.push_back(static_cast<uint8_t>(x * 37 + y * 91 + c * 53 + x * y * 7));
    }
  }
  return image;
}

inline cv::Mat as_mat(const Image& image) {
  cv::Mat mat(image.height, image.width, CV_8UC3);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const uint8_t* rgb = &image.rgb[static_cast<size_t>(y * image.width + x) * 3];
      mat.at<cv::Vec3b>(y, x) = {rgb[2], rgb[1], rgb[0]};
    }
  }
  return mat;
}

inline std::string encoded(const cv::Mat& mat, const std::string& extension) {
  std::vector<uchar> bytes;
  cv::imencode(extension, mat, bytes);
  return {bytes.begin(), bytes.end()};
}

// A lossless file of the pattern.
inline std::string png(int height = 4, int width = 5) { return encoded(as_mat(pattern(height, width)), ".png"); }

// The message of the Error of that kind that `act` throws; what happened instead otherwise.
inline std::string error_of(const std::function<void()>& act, ErrorKind kind = ErrorKind::kInput) {
  try {
    act();
  } catch (const Error& error) {
    return error.kind() == kind ? error.message() : "an error of another kind: " + error.message();
  }
  return "no error";
}

}  // namespace roundtrip::data
