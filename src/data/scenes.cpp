// Captions of scenes, and how scenes and edits are drawn; scenes_render.cpp paints them.
#include "data/scenes.h"

#include <algorithm>
#include <numbers>

#include <fmt/format.h>

#include "base/text.h"
#include "data/scenes_draw.h"
#include "data/scenes_render.h"

namespace roundtrip::data::scenes {
namespace {

template <typename Value, size_t kCount>
std::string_view name(Value value, const std::array<std::string_view, kCount>& names) {
  return names.at(static_cast<size_t>(value));
}

Object draw_object(Draws& draws, Place place) {
  const auto size = draws.one_of<Size>(kSizes);
  const auto colour = draws.one_of<Colour>(kColours);
  const auto shape = draws.one_of<Shape>(kShapes);
  return {.size = size, .colour = colour, .shape = shape, .place = place};
}

Description draw_description(Draws draws) {
  constexpr double kShareOfPairs = 0.6;
  Description description;
  description.background = draws.one_of<Background>(kBackgrounds);
  if (draws.uniform(0, 1) < kShareOfPairs) {
    description.objects = {draw_object(draws, Place::kLeft), draw_object(draws, Place::kRight)};
  } else {
    const auto place = draws.one_of<Place>(kPlaces);
    description.objects = {draw_object(draws, place)};
  }
  return description;
}

Nuisance draw_nuisance(Draws draws, int64_t seed, const std::string& id) {
  constexpr double kTurn = std::numbers::pi / 9;
  Nuisance nuisance;
  for (Nuisance::Spot& spot : nuisance.spots) {
    spot.x = draws.uniform(-0.8, 0.8);  // with more, the largest objects would meet
    spot.y = draws.uniform(-10, 10);
    spot.angle = draws.uniform(-kTurn, kTurn);
    spot.scale = draws.uniform(0.97, 1.03);
  }
  nuisance.light = draws.uniform(0.93, 1.07);
  nuisance.slope_across = draws.uniform(-0.08, 0.08);
  nuisance.slope_down = draws.uniform(-0.08, 0.08);
  for (Wave& wave : nuisance.texture) {
    wave.across = draws.uniform(-3, 3);
    wave.down = draws.uniform(-3, 3);
    wave.phase = draws.uniform(0, 2 * std::numbers::pi);
  }
  nuisance.seed = seed;
  nuisance.id = id;
  return nuisance;
}

Description edited(const Description& from, Edit edit, Draws& draws, size_t which) {
  Description to = from;
  Object& object = to.objects.at(which);
  switch (edit) {
    case Edit::kColour:
      object.colour = draws.another(object.colour, kColours);
      break;
    case Edit::kShape:
      object.shape = draws.another(object.shape, kShapes);
      break;
    case Edit::kSize:
      object.size = draws.another(object.size, kSizes);
      break;
    case Edit::kBackground:
      to.background = draws.another(to.background, kBackgrounds);
      break;
    case Edit::kRemoval:
      to.objects.erase(to.objects.begin() + static_cast<ptrdiff_t>(which));
      break;
  }
  return to;
}

// An editor bounds an edit by the attention of words, so these are the words that attend to its region, whether or not
// they change: of an object the word of its place; with two objects the words before that attend to both. A removal has
// no word of its own in the target prompt, and so none.
EditWords words_of(const Description& from, const Description& to, Edit edit, size_t which) {
  EditWords words;
  if (edit == Edit::kRemoval) return words;
  const auto word = [&](const Description& description) -> std::string {
    return edit == Edit::kBackground ? "background" : place_word(description, which);
  };
  words.blend_source = {word(from)};
  words.blend_target = {word(to)};
  return words;
}

}  // namespace

std::string caption(const Description& description) {
  std::vector<std::string> objects;
  for (const Object& object : description.objects) {
    objects.push_back(fmt::format("a {} {} {} {}", name(object.size, kSizes), name(object.colour, kColours),
                                  name(object.shape, kShapes), name(object.place, kPlaces)));
  }
  return fmt::format("{}, on a {} background", join(objects, " and "), name(description.background, kBackgrounds));
}

std::string place_word(const Description& description, size_t object) {
  const bool is_last = object + 1 == description.objects.size();
  return split(name(description.objects.at(object).place, kPlaces), ' ').back() + (is_last ? "," : "");
}

Scene draw_scene(int64_t seed, int64_t number) {
  Scene scene;
  scene.id = fmt::format("{:06}", number);
  scene.description = draw_description({seed, number, Draws::Stream::kDescription});
  scene.nuisance = draw_nuisance({seed, number, Draws::Stream::kNuisance}, seed, scene.id);
  return scene;
}

std::vector<EditedScene> draw_edits(const Scene& scene) {
  Draws draws(scene.nuisance.seed, std::stoll(scene.id), Draws::Stream::kEdits);
  std::vector<Edit> edits = {Edit::kColour, Edit::kShape, Edit::kSize, Edit::kBackground};
  if (scene.description.objects.size() > 1) edits.push_back(Edit::kRemoval);
  draws.shuffle(edits);
  std::vector<EditedScene> results;
  for (const Edit edit : edits) {
    const size_t which = draws.below(scene.description.objects.size());
    Description to = edited(scene.description, edit, draws, which);
    EditWords words = words_of(scene.description, to, edit, which);
    Image mask = change_mask(scene.description, to, scene.nuisance);
    results.push_back({.edit = edit, .description = std::move(to), .words = std::move(words), .mask = std::move(mask)});
  }
  return results;
}

}  // namespace roundtrip::data::scenes
