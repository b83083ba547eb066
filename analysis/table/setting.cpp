#include "analysis/table/setting.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace roundtrip::analysis {
namespace {

bool is_nothing(const store::Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return std::isnan(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return text->empty();
  return std::holds_alternative<std::monostate>(value);
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

double value_number(const store::Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* count = std::get_if<int64_t>(&value)) return static_cast<double>(*count);
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (const auto number = number_in(*text)) return *number;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

std::string value_text(const store::Value& value) {
  if (is_nothing(value)) return "-";
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{:.6g}", *number);
  if (const auto* count = std::get_if<int64_t>(&value)) return fmt::format("{}", *count);
  return std::get<std::string>(value);
}

bool value_is(const store::Value& value, std::string_view written) {
  if (is_nothing(value)) return written == "-" || written == "null";
  const double number = value_number(value);
  const std::optional<double> wanted = number_in(written);
  if (wanted && !std::isnan(number)) return number == *wanted;
  return value_text(value) == written;
}

bool same_value(const store::Value& a, const store::Value& b) { return !value_less(a, b) && !value_less(b, a); }

bool value_less(const store::Value& a, const store::Value& b) {
  if (is_nothing(a) || is_nothing(b)) return is_nothing(a) && !is_nothing(b);
  const double x = value_number(a), y = value_number(b);
  if (!std::isnan(x) && !std::isnan(y)) return x < y;
  if (std::isnan(x) != std::isnan(y)) return !std::isnan(x);
  return std::get<std::string>(a) < std::get<std::string>(b);
}

}  // namespace roundtrip::analysis
