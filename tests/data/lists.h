// A scratch folder with images and a list of edits, and the kinds of dataset that read it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/images.h"
#include "support/scratch_folder.h"

namespace roundtrip::data {

class ListTest : public testing::Test {
 protected:
  using Values = std::map<std::string, config::Params::Value>;

  explicit ListTest(const std::string& name) {
    options_.name = name;
    options_.path = folder_.path();
  }

  void set_params(Values values) { options_.params = config::Params("dataset", std::move(values)); }
  std::unique_ptr<Dataset> open() const { return open_dataset(options_); }
  std::string refusal(ErrorKind kind = ErrorKind::kInput) const {
    std::string message = error_of([this] { open(); }, kind);
    const std::string folder = folder_.path().string() + "/";
    for (size_t at = 0; (at = message.find(folder)) != std::string::npos;) message.erase(at, folder.size());
    return message;
  }

  ScratchFolder folder_;
  DatasetOptions options_;
};

}  // namespace roundtrip::data
