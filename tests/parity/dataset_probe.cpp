// Prints what a dataset holds, for comparison with readers in other languages.
//
//   dataset_probe < OPTIONS
//
// OPTIONS: one JSON object {"name": "pie", "path": "PIE", "size": [64, 64], "resample": "bicubic", "params": {...}},
// all but the first two optional. For each sample, a line with its id, prompt, digest and pixels (rows of RGB in
// hexadecimal), and of its edits the name, prompt, attributes, words and mask ("0110..." or null).
#include <iostream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/dataset.h"

namespace {

using nlohmann::json;
using namespace roundtrip;

config::Value value_of(const json& value) {
  if (value.is_null()) return {};
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    config::List list;
    for (const json& item : value) list.push_back(value_of(item));
    return list;
  }
  config::Map map;
  for (const auto& [key, item] : value.items()) map.emplace_back(key, value_of(item));
  return map;
}

data::DatasetOptions options_of(const json& given) {
  data::DatasetOptions options;
  options.name = given.at("name").get<std::string>();
  options.path = given.at("path").get<std::string>();
  options.resample = given.value("resample", options.resample);
  if (given.contains("size")) options.size = {given["size"].at(0), given["size"].at(1)};
  std::map<std::string, config::Value> values;
  if (given.contains("params")) {
    for (const auto& [key, value] : given["params"].items()) values[key] = value_of(value);
  }
  options.params = config::Params("dataset", std::move(values));
  return options;
}

json of_edit(const data::Dataset& dataset, size_t index, size_t number) {
  const data::EditName edit = dataset.edits(index).at(number);
  const data::EditTruth truth = dataset.read_edit(index, number);
  json mask;
  if (truth.mask) {
    std::string digits;
    for (const uint8_t pixel : *truth.mask) digits += pixel != 0 ? '1' : '0';
    mask = digits;
  }
  return {{"name", edit.name},
          {"prompt", edit.target_prompt},
          {"attributes", edit.attributes},
          {"words", {edit.words.blend_source, edit.words.blend_target}},
          {"equalizer", edit.words.equalizer},
          {"mask", mask},
          {"notes", truth.notes}};
}

void print(const data::Dataset& dataset) {
  for (size_t index = 0; index < dataset.ids().size(); ++index) {
    const data::Sample sample = dataset.read(index);
    std::string pixels;
    for (const uint8_t value : sample.pixels.rgb) pixels += fmt::format("{:02x}", value);
    json edits = json::array();
    for (size_t number = 0; number < dataset.edits(index).size(); ++number) {
      edits.push_back(of_edit(dataset, index, number));
    }
    std::cout << json({{"id", sample.id},
                       {"prompt", sample.prompt},
                       {"digest", dataset.digest(index)},
                       {"shape", {sample.pixels.height, sample.pixels.width}},
                       {"pixels", pixels},
                       {"edits", edits}})
                     .dump()
              << '\n';
  }
}

}  // namespace

int main() {
  try {
    const std::string text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
    print(*data::open_dataset(options_of(json::parse(text))));
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_code(error.kind());
  } catch (const json::exception& error) {
    fmt::print(stderr, "usage: dataset_probe < OPTIONS, a JSON object with name and path ({})\n", error.what());
    return 2;
  }
  return 0;
}
