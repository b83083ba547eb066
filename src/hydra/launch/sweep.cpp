#include "hydra/launch/sweep.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <random>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {
namespace {

constexpr size_t kMaxValues = 1'000'000;  // of one dimension
constexpr size_t kMaxJobs = 10'000'000;

// A decimal number without rounding: digits * 10^-places.
struct Decimal {
  __int128 digits = 0;
  int places = 0;
};

// The number that the shortest text of `value` spells; nothing for nan and infinities.
std::optional<Decimal> decimal(const std::variant<int64_t, double>& value) {
  if (const auto* n = std::get_if<int64_t>(&value)) return Decimal{*n, 0};
  const std::string text = python_repr(std::get<double>(value));
  if (text.find_first_of("in") != std::string::npos) return std::nullopt;
  const size_t e = std::min(text.find('e'), text.size());
  Decimal result;
  bool fraction = false;
  for (const char c : text.substr(0, e)) {
    fraction = fraction || c == '.';
    if (c < '0' || c > '9') continue;
    result.digits = result.digits * 10 + (c - '0');
    result.places += fraction ? 1 : 0;
  }
  if (text[0] == '-') result.digits = -result.digits;
  if (e < text.size()) result.places -= std::atoi(text.c_str() + e + 1);
  return result;
}

// Scales all to the same number of places; false where their magnitudes are too far apart for 128 bits.
bool align(const std::vector<Decimal*>& numbers) {
  constexpr __int128 kLargest = static_cast<__int128>(1) << 100;
  int places = 0;
  for (const Decimal* n : numbers) places = std::max(places, n->digits == 0 ? 0 : n->places);
  for (Decimal* n : numbers) {
    if (n->digits == 0) n->places = places;
    for (; n->places < places; ++n->places) {
      n->digits *= 10;
      if (n->digits > kLargest || n->digits < -kLargest) return false;
    }
  }
  return true;
}

std::string decimal_text(__int128 digits, int places) {
  std::string text;
  __int128 rest = digits < 0 ? -digits : digits;
  for (int place = 0; rest > 0 || place <= places; ++place, rest /= 10) {
    if (place == places && places > 0) text += '.';
    text += static_cast<char>('0' + static_cast<int>(rest % 10));
  }
  if (digits < 0) text += '-';
  std::reverse(text.begin(), text.end());
  return text;
}

[[noreturn]] void empty_sweep(const std::string& key) {
  throw Error(ErrorKind::kCompose, fmt::format("sweep over '{}' is empty", key));
}

// Fisher-Yates, written out because std::shuffle may differ between libraries.
void shuffle(std::vector<std::string>& texts, uint64_t seed) {
  std::mt19937_64 generator(seed);
  for (size_t k = texts.size(); k > 1; --k) std::swap(texts[k - 1], texts[generator() % k]);
}

std::vector<std::string> choice_texts(const Choice& choice) {
  std::vector<std::string> texts;
  for (const Element& value : choice.values) {
    texts.push_back(to_text(value));
  }
  return texts;
}

std::vector<std::string> glob_texts(const Glob& glob, const Override& item, const SearchPath& path) {
  if (!path.has_group(item.key)) {
    throw Error(ErrorKind::kCompose, fmt::format("glob is over the options of a config group; '{}' is not one.{}",
                                                 item.key, did_you_mean(item.key, path.groups())));
  }
  const auto matches = [](const std::string& name, const std::vector<std::string>& patterns) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& p) { return fnmatch(name, p); });
  };
  std::vector<std::string> names;
  for (const std::string& name : path.options(item.key)) {
    if (matches(name, glob.include) && !matches(name, glob.exclude)) names.push_back(name);
  }
  return names;
}

// Matches a set [seq] or [!seq] that starts at `at`: its end, and whether `c` is in it; nothing where no `]` closes it.
std::optional<std::pair<size_t, bool>> in_set(std::string_view pattern, size_t at, char c) {
  size_t k = at + 1;
  const bool negated = k < pattern.size() && pattern[k] == '!';
  k += negated ? 1 : 0;
  const size_t close = pattern.find(']', k + 1);  // a bracket right after the opening one is a member
  if (close == std::string_view::npos) return std::nullopt;
  bool found = false;
  for (; k < close; ++k) {
    if (k + 2 < close && pattern[k + 1] == '-') {
      found = found || (pattern[k] <= c && c <= pattern[k + 2]);
      k += 2;
    } else {
      found = found || pattern[k] == c;
    }
  }
  return std::pair(close + 1, found != negated);
}

}  // namespace

bool fnmatch(std::string_view name, std::string_view pattern) {
  // Greedy, and backtracks only to the last star: at most name times pattern steps.
  size_t n = 0, p = 0, star = std::string_view::npos, star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
      continue;
    }
    bool matched = false;
    size_t next = p + 1;
    if (p < pattern.size()) {
      const auto set = pattern[p] == '[' ? in_set(pattern, p, name[n]) : std::nullopt;
      matched = set ? set->second : pattern[p] == '?' || pattern[p] == name[n];
      if (set) next = set->first;
    }
    if (matched) {
      p = next;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> range_texts(const Range& range) {
  const bool integers = range.start.index() == 0 && range.stop.index() == 0 && range.step.index() == 0;
  auto start = decimal(range.start), stop = decimal(range.stop), step = decimal(range.step);
  if (!start || !stop || !step || step->digits == 0 || !align({&*start, &*stop, &*step})) {
    throw Error(ErrorKind::kCompose, fmt::format("Invalid range values: {}", to_text({range})),
                "expected finite numbers and a step other than 0");
  }
  std::vector<std::string> texts;
  const bool up = step->digits > 0;
  for (__int128 at = start->digits; up ? at < stop->digits : at > stop->digits; at += step->digits) {
    if (texts.size() == kMaxValues) {
      throw Error(ErrorKind::kCompose, fmt::format("{} has more than {} values", to_text({range}), kMaxValues));
    }
    const std::string text = decimal_text(at, start->places);
    texts.push_back(integers ? text : python_repr(std::strtod(text.c_str(), nullptr)));
  }
  return texts;
}

std::vector<std::string> value_texts(const Override& item, const SearchPath& path, uint64_t seed) {
  if (!item.value) return {""};
  if (holds_sweep(*item.value, true)) {
    throw Error(ErrorKind::kCompose,
                fmt::format("a sweep inside a list, a dict or a choice is not supported: {}", item.input));
  }
  std::vector<std::string> texts;
  bool shuffled = false;
  if (const auto* choice = item.value->get_if<Choice>()) {
    texts = choice_texts(*choice);
    shuffled = choice->shuffle;
  } else if (const auto* range = item.value->get_if<Range>()) {
    texts = range_texts(*range);
    shuffled = range->shuffle;
  } else if (const auto* glob = item.value->get_if<Glob>()) {
    texts = glob_texts(*glob, item, path);
  } else if (item.value->get_if<Interval>() != nullptr) {
    throw Error(ErrorKind::kCompose, "BasicSweeper does not support sweep type : INTERVAL_SWEEP", "  " + item.input);
  } else {
    texts = {to_text(*item.value)};
  }
  if (texts.empty()) empty_sweep(item.key_and_package());
  if (shuffled) shuffle(texts, seed);
  return texts;
}

size_t Sweep::size() const {
  size_t product = 1;
  for (const Dimension& dimension : dimensions) product *= dimension.points.size();
  return product;
}

size_t Sweep::position(size_t job, size_t dimension) const {
  size_t stride = 1;
  for (size_t d = dimension + 1; d < dimensions.size(); ++d) stride *= dimensions[d].points.size();
  return job / stride % dimensions[dimension].points.size();
}

std::vector<std::string> Sweep::overrides(size_t job) const {
  std::vector<std::string> texts;
  for (size_t d = 0; d < dimensions.size(); ++d) {
    const Dimension& dimension = dimensions[d];
    const std::vector<std::string>& point = dimension.points[position(job, d)];
    for (size_t k = 0; k < dimension.keys.size(); ++k) texts.push_back(dimension.keys[k] + point[k]);
  }
  return texts;
}

std::vector<std::pair<std::string, std::vector<std::string>>> Sweep::values() const {
  std::vector<std::pair<std::string, std::vector<std::string>>> all;
  for (const Dimension& dimension : dimensions) {
    for (size_t k = 0; k < dimension.keys.size(); ++k) {
      const std::string& key = dimension.keys[k];
      std::vector<std::string>& texts =
          all.emplace_back(key.substr(key.find_first_not_of("+~")), std::vector<std::string>()).second;
      for (const std::vector<std::string>& point : dimension.points) texts.push_back(point[k]);
    }
  }
  return all;
}

std::vector<std::string> Sweep::swept() const {
  std::vector<std::string> keys;
  for (const auto& [key, texts] : values()) {
    if (texts.size() > 1) keys.push_back(key);
  }
  return keys;
}

Sweep expand(const std::vector<Override>& overrides, const SearchPath& path, uint64_t seed) {
  Sweep sweep;
  std::vector<std::string> names;  // of the dimensions
  for (const Override& item : overrides) {
    if (item.is_sweep() && (item.key.starts_with("hydra.") || item.key.starts_with("hydra/"))) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("Sweeping over Hydra's configuration is not supported : '{}'", item.input));
    }
    Dimension dimension;
    if (const Zip* zip = item.value ? item.value->get_if<Zip>() : nullptr) {
      for (const auto& [key, values] : zip->members) {
        if (values.empty()) empty_sweep(item.key);
        dimension.keys.push_back(key);
        dimension.points.resize(values.size());
        for (size_t k = 0; k < values.size(); ++k) dimension.points[k].push_back("=" + to_text(values[k]));
      }
    } else {
      dimension.keys = {item.key_text()};
      for (const std::string& text : value_texts(item, path, seed)) {
        dimension.points.push_back({item.value ? "=" + text : text});
      }
    }
    const auto there = std::find(names.begin(), names.end(), item.key_text());
    if (there == names.end()) {
      names.push_back(item.key_text());
      sweep.dimensions.push_back(std::move(dimension));
    } else {
      sweep.dimensions[static_cast<size_t>(there - names.begin())] = std::move(dimension);
    }
  }
  size_t jobs = 1;
  for (const Dimension& dimension : sweep.dimensions) {
    if (dimension.points.size() > kMaxJobs / jobs) {
      throw Error(ErrorKind::kCompose, fmt::format("the sweep has more than {} jobs", kMaxJobs));
    }
    jobs *= dimension.points.size();
  }
  return sweep;
}

}  // namespace roundtrip::hydra
