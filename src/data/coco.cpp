// dataset=coco: images with captions in COCO's format (Lin et al., "Microsoft COCO", ECCV 2014; Chen et al., 2015:
// captions_val2017.json), one caption for each image.
//
// Read are `images` (id, file_name) and `annotations` (image_id, id, caption). Samples are in the order of `images`,
// and an image without a caption takes dataset.prompt. There are no edits. Instances, categories and licences are not
// read.
#include <algorithm>
#include <map>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "data/image_file.h"
#include "data/listed_dataset.h"

namespace roundtrip::data {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kCaptionType = "first, longest, or a number from 0 on";

// Which of an image's captions, in the order of their ids.
struct CaptionChoice {
  bool longest = false;
  size_t number = 0;

  explicit CaptionChoice(const config::Params& params) {
    const config::Value& value = params.get_value("caption", kCaptionType);
    const auto* text = std::get_if<std::string>(&value);
    const auto* index = std::get_if<int64_t>(&value);
    longest = text != nullptr && *text == "longest";
    if (index != nullptr && *index >= 0) {
      number = static_cast<size_t>(*index);
    } else if (text == nullptr || (*text != "first" && !longest)) {
      throw params.wrong("caption", kCaptionType);
    }
  }
};

const json& list_of(const json& file, const char* key, const std::string& where) {
  if (!file.is_object() || !file.contains(key)) {
    throw input_error(where, fmt::format("has no {}", key), "COCO's captions: an object with images and annotations");
  }
  if (!file[key].is_array()) throw input_error(where, fmt::format("{} is a {}", key, file[key].type_name()), "a list");
  return file[key];
}

int64_t number_of(const json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) throw input_error(where, fmt::format("has no {}", key), "a number");
  if (!object[key].is_number_integer()) {
    throw input_error(where, fmt::format("{} is a {}", key, object[key].type_name()), "a whole number");
  }
  return object[key].get<int64_t>();
}

std::string text_of(const json& object, const char* key, const std::string& where) {
  if (!object.is_object() || !object.contains(key)) throw input_error(where, fmt::format("has no {}", key), "a string");
  if (!object[key].is_string()) {
    throw input_error(where, fmt::format("{} is a {}", key, object[key].type_name()), "a string");
  }
  return object[key].get<std::string>();
}

using Captions = std::map<int64_t, std::map<int64_t, std::string>>;  // by image, then by the caption's own id

Captions captions_of(const json& annotations, const std::string& file) {
  Captions captions;
  for (size_t n = 0; n < annotations.size(); ++n) {
    const std::string where = fmt::format("{}: annotations[{}]", file, n);
    const int64_t id = number_of(annotations[n], "id", where);
    auto& of_image = captions[number_of(annotations[n], "image_id", where)];
    if (!of_image.emplace(id, text_of(annotations[n], "caption", where)).second) {
      throw input_error(where, fmt::format("id {} is there twice for one image", id), "ids that differ");
    }
  }
  return captions;
}

std::optional<std::string> chosen(const std::map<int64_t, std::string>& captions, const CaptionChoice& choice) {
  const auto by_length = [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); };
  if (captions.empty() || (!choice.longest && choice.number >= captions.size())) return std::nullopt;
  if (choice.longest) return std::ranges::max_element(captions, by_length)->second;
  return std::next(captions.begin(), static_cast<ptrdiff_t>(choice.number))->second;
}

std::vector<ListedSample> list_samples(const fs::path& list, const fs::path& folder, const CaptionChoice& choice) {
  const json file = read_json(list);
  const std::string name = list.string();
  Captions captions = captions_of(list_of(file, "annotations", name), name);
  std::vector<ListedSample> samples;
  std::map<int64_t, std::string> where_of;
  std::map<std::string, std::string> where_of_id;
  const json& images = list_of(file, "images", name);
  for (size_t n = 0; n < images.size(); ++n) {
    const std::string where = fmt::format("{}: images[{}]", name, n);
    const int64_t number = number_of(images[n], "id", where);
    const std::string image =
        below_the_folder("file_name", text_of(images[n], "file_name", where), where, "the folder of the images");
    std::error_code ignored;
    if (!fs::is_regular_file(folder / image, ignored) || !is_image_name(image)) {
      throw input_error(where, fmt::format("file_name {} is not in {}", name_text(image), folder.string()),
                        "an image of one of the kinds " + image_extensions());
    }
    const auto [first, is_new] = where_of.emplace(number, where);
    if (!is_new) throw input_error(where, fmt::format("id {} repeats {}", number, first->second), "each image once");
    const std::string id = id_of_file(image);
    const auto [same, is_own] = where_of_id.emplace(id, where);
    if (!is_own) {
      throw input_error(
          where, fmt::format("file_name {} and that of {} are both sample '{}'", name_text(image), same->second, id),
          "names that differ in more than their extension");
    }
    samples.push_back({.file = image, .id = id, .text = chosen(captions[number], choice)});
  }
  for (const auto& [number, of_image] : captions) {
    if (!where_of.contains(number)) {
      throw input_error(name, fmt::format("{} captions are of image {}", of_image.size(), number),
                        "the id of one of its images");
    }
  }
  if (samples.empty()) throw input_error(name, "names no image", "COCO's captions of at least one");
  return samples;
}

fs::path below(const DatasetOptions& options, const char* key, const fs::path& usual) {
  const std::string given = options.params.get_path(key);
  return given.empty() ? options.path / usual : fs::path(given);
}

class Coco : public ListedDataset {
 public:
  explicit Coco(const DatasetOptions& options) : Coco(options, below(options, "images_path", "val2017")) {}

 private:
  Coco(const DatasetOptions& options, const fs::path& images)
      : ListedDataset(options, images,
                      list_samples(below(options, "captions_path", "annotations/captions_val2017.json"), images,
                                   CaptionChoice(options.params))) {}
};

const Registered<Dataset, Coco> coco({.name = "coco"});

}  // namespace
}  // namespace roundtrip::data
