#include "config/sweep.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::config {
namespace {

using Wide = __int128;

// A double's shortest text as digits * 10^-scale.
struct Decimal {
  Wide digits = 0;
  int scale = 0;
};

constexpr int kMostDecimals = 18;

Decimal decimal_of(double value) {
  const std::string shortest = python_repr(value);
  const size_t point = shortest.find('.');
  const size_t exponent = shortest.find('e');
  int scale = 0;
  if (exponent != std::string::npos) {
    const int power = std::atoi(shortest.c_str() + exponent + 1);
    const int decimals = point == std::string::npos ? 0 : static_cast<int>(exponent - point - 1);
    scale = std::clamp(decimals - power, 0, kMostDecimals);
  } else if (!shortest.ends_with(".0")) {
    scale = std::min(static_cast<int>(shortest.size() - point - 1), kMostDecimals);
  }
  Decimal decimal{.digits = 0, .scale = scale};
  const std::string fixed = fmt::format("{:.{}f}", value, scale);
  for (const char c : fixed) {
    if (c >= '0' && c <= '9') decimal.digits = decimal.digits * 10 + (c - '0');
  }
  if (fixed.starts_with('-')) decimal.digits = -decimal.digits;
  return decimal;
}

double value_of(Wide digits, int scale) {
  // Through text, so that the double is the nearest to the decimal.
  const bool negative = digits < 0;
  if (negative) digits = -digits;
  std::string text;
  for (int k = 0; k <= scale || digits > 0; ++k) {
    if (k == scale && scale > 0) text += '.';
    text += static_cast<char>('0' + static_cast<int>(digits % 10));
    digits /= 10;
  }
  std::reverse(text.begin(), text.end());
  return std::strtod((negative ? "-" + text : text).c_str(), nullptr);
}

double as_double(const std::variant<int64_t, double>& value) {
  return std::visit([](auto each) { return static_cast<double>(each); }, value);
}

void shuffle_texts(std::vector<std::string>& texts, uint64_t seed) {
  std::mt19937_64 generator(seed);
  for (size_t k = texts.size(); k > 1; --k) std::swap(texts[k - 1], texts[generator() % k]);
}

void refuse_empty(const std::vector<std::string>& texts, const Override& item) {
  if (texts.empty()) throw Error(ErrorKind::kCompose, fmt::format("sweep over '{}' is empty", item.key));
}

std::vector<std::string> glob_texts(const Glob& glob, const Override& item, const SearchPath& path) {
  if (!path.has_group(item.key)) {
    throw Error(ErrorKind::kCompose, fmt::format("glob() in '{}' is over the options of a config group; there is no group "
                                                 "'{}'", item.input, item.key));
  }
  std::vector<std::string> texts;
  const auto matches = [](const std::string& option, const std::vector<std::string>& patterns) {
    return std::ranges::any_of(patterns, [&](const std::string& pattern) { return fnmatch(option, pattern); });
  };
  for (const std::string& option : path.options(item.key)) {
    if (matches(option, glob.include) && !matches(option, glob.exclude)) texts.push_back(option);
  }
  return texts;
}

}  // namespace

std::vector<std::string> range_texts(const Range& range) {
  constexpr size_t kMost = 10'000'000;
  std::vector<std::string> texts;
  const bool integers = std::holds_alternative<int64_t>(range.start) && std::holds_alternative<int64_t>(range.stop) &&
                        std::holds_alternative<int64_t>(range.step);
  const double step = as_double(range.step);
  if (step == 0 || !std::isfinite(step) || !std::isfinite(as_double(range.start)) ||
      !std::isfinite(as_double(range.stop))) {
    throw Error(ErrorKind::kCompose, fmt::format("range(): start {}, stop {}, step {}; expected finite numbers and a "
                                                 "step other than 0",
                                                 as_double(range.start), as_double(range.stop), step));
  }
  Decimal start = decimal_of(as_double(range.start)), stop = decimal_of(as_double(range.stop)), by = decimal_of(step);
  if (integers) {
    start = {std::get<int64_t>(range.start), 0};
    stop = {std::get<int64_t>(range.stop), 0};
    by = {std::get<int64_t>(range.step), 0};
  }
  const int scale = std::max({start.scale, stop.scale, by.scale});
  const auto scaled = [scale](const Decimal& each) {
    Wide digits = each.digits;
    for (int k = each.scale; k < scale; ++k) digits *= 10;
    return digits;
  };
  const Wide from = scaled(start), to = scaled(stop), width = scaled(by);
  for (Wide at = from; width > 0 ? at < to : at > to; at += width) {
    texts.push_back(integers ? fmt::format("{}", static_cast<int64_t>(at)) : python_repr(value_of(at, scale)));
    if (texts.size() > kMost) throw Error(ErrorKind::kCompose, fmt::format("range(): more than {} values", kMost));
  }
  return texts;
}

std::vector<std::string> value_texts(const Override& item, const SearchPath& path, uint64_t seed) {
  std::vector<std::string> texts;
  bool shuffled = false;
  if (!item.value) return {""};
  if (const auto* choice = item.value->get_if<Choice>()) {
    for (const Element& value : choice->values) texts.push_back(to_text(value));
    shuffled = choice->shuffle;
  } else if (const auto* range = item.value->get_if<Range>()) {
    texts = range_texts(*range);
    shuffled = range->shuffle;
  } else if (const auto* glob = item.value->get_if<Glob>()) {
    texts = glob_texts(*glob, item, path);
  } else if (item.value->get_if<Interval>()) {
    throw Error(ErrorKind::kCompose, "BasicSweeper does not support sweep type : INTERVAL_SWEEP");
  } else {
    texts.push_back(to_text(*item.value));
  }
  refuse_empty(texts, item);
  if (shuffled) shuffle_texts(texts, seed);
  return texts;
}

size_t Sweep::size() const {
  size_t product = 1;
  for (const Dimension& dimension : dimensions) product *= dimension.points.size();
  return product;
}

std::vector<std::string> Sweep::overrides(size_t job) const {
  std::vector<std::string> texts;
  size_t stride = size();
  for (const Dimension& dimension : dimensions) {
    stride /= dimension.points.size();
    const std::vector<std::string>& point = dimension.points[job / stride % dimension.points.size()];
    for (size_t k = 0; k < dimension.keys.size(); ++k) {
      // `~key` without a value keeps its form.
      const bool bare = dimension.keys[k].starts_with('~') && point[k].empty();
      texts.push_back(bare ? dimension.keys[k] : dimension.keys[k] + "=" + point[k]);
    }
  }
  return texts;
}

std::vector<std::string> Sweep::swept() const {
  std::vector<std::string> keys;
  for (const Dimension& dimension : dimensions) {
    if (dimension.points.size() < 2) continue;
    for (const std::string& key : dimension.keys) keys.push_back(key.substr(key.find_first_not_of("+~")));
  }
  return keys;
}

Sweep expand(const std::vector<Override>& overrides, const SearchPath& path, uint64_t seed) {
  Sweep sweep;
  for (const Override& item : overrides) {
    if (item.is_sweep() && (item.key.starts_with("hydra.") || item.key.starts_with("hydra/"))) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("Sweeping over Hydra's configuration is not supported : '{}'", item.input));
    }
    Dimension dimension;
    if (const auto* zip = item.value ? item.value->get_if<Zip>() : nullptr) {
      for (const auto& [key, values] : zip->members) {
        dimension.keys.push_back(key);
        dimension.points.resize(values.size());
        for (size_t k = 0; k < values.size(); ++k) dimension.points[k].push_back(to_text(values[k]));
      }
      refuse_empty(dimension.points.empty() ? std::vector<std::string>{} : dimension.points.front(), item);
    } else {
      dimension.keys = {item.key_text()};
      for (std::string& text : value_texts(item, path, seed)) dimension.points.push_back({std::move(text)});
    }
    const auto earlier = std::ranges::find(sweep.dimensions, dimension.keys, &Dimension::keys);
    if (earlier == sweep.dimensions.end()) {
      sweep.dimensions.push_back(std::move(dimension));
    } else {
      *earlier = std::move(dimension);
    }
  }
  constexpr size_t kMostJobs = 10'000'000;
  size_t product = 1;
  for (const Dimension& dimension : sweep.dimensions) {
    product *= dimension.points.size();
    if (product > kMostJobs) {
      throw Error(ErrorKind::kCompose, fmt::format("the sweep has more than {} jobs", kMostJobs));
    }
  }
  return sweep;
}

bool fnmatch(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    return fnmatch(name, pattern.substr(1)) || (!name.empty() && fnmatch(name.substr(1), pattern));
  }
  if (name.empty()) return false;
  if (pattern.front() == '[') {
    const bool negated = pattern.size() > 1 && pattern[1] == '!';
    const size_t first = negated ? 2 : 1;
    const size_t close = pattern.find(']', first + 1);  // a bracket right after the opening one is a member
    if (close != std::string_view::npos) {
      bool member = false;
      for (size_t k = first; k < close; ++k) {
        if (k + 2 < close && pattern[k + 1] == '-') {
          member |= pattern[k] <= name.front() && name.front() <= pattern[k + 2];
          k += 2;
        } else {
          member |= pattern[k] == name.front();
        }
      }
      return member != negated && fnmatch(name.substr(1), pattern.substr(close + 1));
    }
  }
  const bool same = pattern.front() == '?' || pattern.front() == name.front();
  return same && fnmatch(name.substr(1), pattern.substr(1));
}

}  // namespace roundtrip::config
