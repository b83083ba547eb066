#include "editing/p2p_settings.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace roundtrip::editing {
namespace {

using config::Params;

constexpr const char* kBoundType = "float in [0, 1], or a list [START, END]";
constexpr const char* kCrossType =
    "float in [0, 1], a list [START, END], or a map with such values for default and words";

std::optional<double> number_of(const config::Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* integer = std::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return std::nullopt;
}

std::optional<Bound> bound_of(const config::Value& value) {
  Bound bound;
  if (const auto end = number_of(value)) {
    bound.end = *end;
  } else {
    const auto* list = std::get_if<config::List>(&value);
    if (list == nullptr || list->size() != 2) return std::nullopt;
    const auto first = number_of(list->front()), second = number_of(list->back());
    if (!first || !second) return std::nullopt;
    bound = {*first, *second};
  }
  const bool ordered = 0 <= bound.start && bound.start <= bound.end && bound.end <= 1;
  return ordered ? std::optional(bound) : std::nullopt;
}

Bound read_bound(const Params& params, const std::string& key, const char* type) {
  const auto bound = bound_of(params.get_value(key, type));
  if (!bound) throw params.wrong(key, type);
  return *bound;
}

void read_cross(const Params& params, Bound& all, WordBounds& words) {
  const auto* map = std::get_if<config::Map>(&params.get_value("cross", kCrossType));
  if (map == nullptr) {
    all = read_bound(params, "cross", kCrossType);
    return;
  }
  for (const auto& [word, value] : *map) {
    const auto bound = bound_of(value);
    if (!bound) throw params.wrong("cross", kCrossType);
    if (word == "default") {
      all = *bound;
    } else {
      words.emplace_back(word, *bound);
    }
  }
}

std::vector<diffusion::Place> read_places(const Params& params) {
  static const std::map<std::string, diffusion::Place> kPlaces = {
      {"down", diffusion::Place::kDown}, {"mid", diffusion::Place::kMid}, {"up", diffusion::Place::kUp}};
  std::vector<diffusion::Place> places;
  for (const std::string& name : params.get_strings("places")) {
    const auto place = kPlaces.find(name);
    if (place == kPlaces.end()) throw params.wrong("places", "a list of down, mid and up");
    places.push_back(place->second);
  }
  if (places.empty()) throw params.wrong("places", "one or more of down, mid and up");
  return places;
}

}  // namespace

P2pSettings::P2pSettings(const Params& params) {
  const std::string& mapping = params.get_string("mapper", {"refine", "replace", "auto"});
  mapper = mapping == "refine" ? Mapper::kRefine : mapping == "replace" ? Mapper::kReplace : Mapper::kAuto;
  tail = params.get_string("tail", {"shifted", "released"}) == "shifted" ? Tail::kShifted : Tail::kReleased;
  words = params.get_string("words", {"strict", "released"}) == "strict" ? WordsRule::kStrict : WordsRule::kReleased;
  read_cross(params, cross, cross_words);
  self = read_bound(params, "self", kBoundType);
  self_max_tokens = params.get_int("self_max_tokens", {.min = 0});
  Factors factors = params.get_weights("equalizer");
  if (!params.is_null("equalizer")) equalizer = std::move(factors);

  const Params& section = params.section("blend");
  blend_words = read_word_pair(section, "words");
  minus = read_word_pair(section, "minus").value_or(WordPair{});
  const std::vector<double> thresholds = section.get_floats("threshold", {1, 2}, {.min = 0, .max = 1});
  blend = {.threshold = thresholds.front(),
           .minus_threshold = thresholds.back(),
           .start = section.get_float("start", {.min = 0, .max = 1}),
           .has_minus = !minus.empty()};
  blend_tokens = read_tokens(section, "tokens");
  blend_places = read_places(section);
}

}  // namespace roundtrip::editing
