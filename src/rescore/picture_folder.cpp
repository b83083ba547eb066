#include "rescore/picture_folder.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "data/image_file.h"

namespace roundtrip::rescore {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kReleasedFolder = "annotation_images/";

std::map<std::string, std::vector<std::string>> list(const fs::path& folder) {
  std::error_code error;
  std::map<std::string, std::vector<std::string>> files;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (at->path().filename().string().starts_with('.')) {
      at.disable_recursion_pending();
      continue;
    }
    std::error_code ignored;  // a broken link is not a file
    if (!at->is_regular_file(ignored) || !data::is_image_name(at->path())) continue;
    const fs::path file = at->path().lexically_relative(folder);
    std::string name = fs::path(file).replace_extension().string();
    if (name.starts_with(kReleasedFolder)) name.erase(0, kReleasedFolder.size());
    files[name].push_back(file.string());
  }
  if (error) throw input_error(folder.string(), fmt::format("cannot be listed ({})", error.message()));
  return files;
}

}  // namespace

PictureFolder::PictureFolder(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  if (!fs::is_directory(folder_, error)) {
    throw input_error(folder_.string(), fs::exists(folder_, error) ? "is a file" : "does not exist",
                      "a folder of pictures, one for each edit");
  }
  files_ = list(folder_);
  if (files_.empty()) throw input_error(folder_.string(), "has no picture", "files named " + data::image_extensions());
}

fs::path PictureFolder::find(const std::string& sample, const std::string& edit) {
  std::vector<std::string> names;
  if (edit.empty()) {
    names = {sample};
    if (sample.starts_with(kReleasedFolder)) names.push_back(sample.substr(kReleasedFolder.size()));
  } else {
    names = {sample + "-" + edit, sample + "/" + edit};
  }
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const auto files = files_.find(name);
    if (files == files_.end()) continue;
    used_.insert(name);
    found.insert(found.end(), files->second.begin(), files->second.end());
  }
  if (found.empty()) throw input_error((folder_ / names.front()).string(), "no such picture");
  if (found.size() > 1) {
    throw input_error(folder_.string(), fmt::format("pictures {} have one name", join(found, ", ")), "one of them");
  }
  return folder_ / found.front();
}

std::vector<std::string> PictureFolder::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, files] : files_) {
    if (!used_.contains(name)) names.push_back(name);
  }
  return names;
}

data::Image panel_of(const data::Image& picture, int height, int width, const std::string& name,
                     std::vector<std::string>& notes) {
  if (picture.height == height && picture.width == width) return picture;
  const int panels = picture.width / width;
  if (picture.height != height || panels < 2 || picture.width % width != 0) {
    throw input_error(name, fmt::format("{} x {} pixels", picture.height, picture.width),
                      fmt::format("{} x {} as the source, or such panels side by side", height, width));
  }
  notes.push_back(fmt::format("the right-most of {} panels", panels));
  data::Image panel{.height = height, .width = width, .rgb = {}};
  panel.rgb.reserve(static_cast<size_t>(height) * static_cast<size_t>(width) * 3);
  const auto row = static_cast<ptrdiff_t>(picture.width) * 3, kept = static_cast<ptrdiff_t>(width) * 3;
  for (auto end = picture.rgb.begin() + row; std::ssize(panel.rgb) < height * kept; end += row) {
    panel.rgb.insert(panel.rgb.end(), end - kept, end);
  }
  return panel;
}

}  // namespace roundtrip::rescore
