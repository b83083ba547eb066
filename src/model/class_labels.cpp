#include "model/class_labels.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::model {
namespace {

std::optional<int64_t> number_in(const std::string& text) {
  int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc() || stop != end || number < 0) return std::nullopt;
  return number;
}

}  // namespace

ClassLabels::ClassLabels(int64_t classes, const std::map<int64_t, std::string>& names, const std::string& where)
    : classes_(classes) {
  for (const auto& [number, label] : names) {
    if (number >= classes) {
      throw input_error(where, fmt::format("id2label names the class {}", number),
                        fmt::format("numbers below num_embeds_ada_norm, {}", classes));
    }
    for (const std::string& name : split(label, ',')) named_[std::string(trim(name))] = number;
  }
}

int64_t ClassLabels::number_of(const std::string& prompt) const {
  if (prompt.empty()) return classes_;
  const std::string where = fmt::format("prompt {}", name_text(prompt));
  if (const auto number = number_in(prompt)) {
    if (*number <= classes_) return *number;
    throw input_error(where, "not a class of the model",
                      fmt::format("0 to {}, or {} for the null label", classes_ - 1, classes_));
  }
  const auto found = named_.find(prompt);
  if (found != named_.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, number] : named_) names.push_back(name);
  throw input_error(where, "not a class of the model",
                    fmt::format("a number from 0 to {}, a name in model_index.json, or nothing for the null label.{}",
                                classes_ - 1, did_you_mean(prompt, names)));
}

TextEncoder::Encoded ClassLabels::encode(const std::string& prompt) {
  Encoded encoded;
  encoded.conditioning.label = at::scalar_tensor(number_of(prompt), at::kLong);
  return encoded;
}

}  // namespace roundtrip::model
