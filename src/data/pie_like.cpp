// Draws the edits of pie_like.h and writes them.
#include "data/pie_like.h"

#include <algorithm>
#include <fstream>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"
#include "data/jpeg.h"
#include "data/mask_runs.h"
#include "data/pie.h"
#include "data/scenes_draw.h"
#include "data/scenes_render.h"

namespace roundtrip::data::pie {
namespace {

namespace fs = std::filesystem;
using scenes::Description;
using scenes::Draws;
using scenes::kSide;
using scenes::Object;
using scenes::Scene;

constexpr int kQuality = 95;
constexpr int kStyle = 9;

std::string folder_name(int type) {
  const Type& of = kTypes.at(static_cast<size_t>(type));
  return fmt::format("{}_{}_{}", type, of.name, of.published);
}

bool allows(const Scene& scene, int type) {
  const bool is_pair = scene.description.objects.size() > 1;
  if (type == 2 || type == 3) return is_pair;  // add and delete an object
  if (type == 5) return !is_pair;              // two objects leave no free place
  return true;
}

// A description of the scene, changed as the type asks; `edit` becomes the source and the target.
void apply(int type, Draws& draws, SceneEdit& edit) {
  Description to = edit.scene.description;
  const size_t which = draws.below(to.objects.size());
  Object& object = to.objects[which];
  const auto recolour = [&](Object& any) { any.colour = draws.another(any.colour, scenes::kColours); };
  bool at_place = true;  // of the object: these words attend to the region
  switch (type) {
    case 1:
      object.shape = draws.another(object.shape, scenes::kShapes);
      break;
    case 2:
    case 3:
      to.objects.erase(to.objects.begin() + static_cast<ptrdiff_t>(which));
      at_place = false;
      if (type == 2) std::swap(to, edit.scene.description);
      break;
    case 4:
      object.size = draws.another(object.size, scenes::kSizes);
      break;
    case 5:
      object.place = draws.another(object.place, scenes::kPlaces);
      break;
    case 6:
      recolour(object);
      break;
    case 7:
      recolour(object);
      object.shape = draws.another(object.shape, scenes::kShapes);
      break;
    case 8:
      to.background = draws.another(to.background, scenes::kBackgrounds);
      at_place = false;
      edit.blended_word = "background background";
      break;
    case kStyle:
      for (Object& any : to.objects) recolour(any);
      to.background = draws.another(to.background, scenes::kBackgrounds);
      at_place = false;
      break;
  }
  if (at_place) {
    edit.blended_word = scenes::place_word(edit.scene.description, which) + " " + scenes::place_word(to, which);
  }
  edit.target = to;
}

// The words between those that both prompts begin with and those that both end with: [first, end) of each.
struct Differing {
  size_t first, source_end, target_end;
};

Differing differing(const std::vector<std::string>& source, const std::vector<std::string>& target) {
  const size_t shorter = std::min(source.size(), target.size());
  size_t first = 0, last = 0;
  while (first < shorter && source[first] == target[first]) ++first;
  while (last < shorter - first && source[source.size() - 1 - last] == target[target.size() - 1 - last]) ++last;
  return {first, source.size() - last, target.size() - last};
}

std::string middle(const std::vector<std::string>& words, size_t first, size_t end) {
  return join(std::span(words).subspan(first, end - first), " ");
}

std::string instruction(const std::string& source, const std::string& target) {
  const std::vector<std::string> from = split(source, ' '), to = split(target, ' ');
  const auto [first, from_end, to_end] = differing(from, to);
  if (first == from_end) return fmt::format("Add '{}'", middle(to, first, to_end));
  if (first == to_end) return fmt::format("Delete '{}'", middle(from, first, from_end));
  return fmt::format("Change '{}' to '{}'", middle(from, first, from_end), middle(to, first, to_end));
}

SceneEdit draw_edit(int type, int64_t number_in_type, Scene scene, int64_t scene_number, int64_t seed) {
  SceneEdit edit{.key = fmt::format("{}{:011}", type, number_in_type), .type = type, .scene = std::move(scene)};
  Draws draws(seed, scene_number, Draws::Stream::kPie);
  constexpr std::array kRandom = {1, 4, 6, 8};
  apply(type == 0 ? kRandom.at(draws.below(kRandom.size())) : type, draws, edit);
  edit.instruction = instruction(caption(edit.scene.description), caption(edit.target));
  const Image mask = scenes::change_mask(edit.scene.description, edit.target, edit.scene.nuisance);
  edit.mask.resize(static_cast<size_t>(kSide) * kSide);
  for (size_t pixel = 0; pixel < edit.mask.size(); ++pixel) {
    edit.mask[pixel] = type == kStyle || mask.rgb[pixel * 3] != 0;
  }
  return edit;
}

// The value at each pixel of a picture of this side.
template <size_t kChannels>
std::vector<uint8_t> enlarged(const std::vector<uint8_t>& values, int side) {
  std::vector<uint8_t> result;
  result.reserve(static_cast<size_t>(side) * static_cast<size_t>(side) * kChannels);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const auto pixel = static_cast<ptrdiff_t>((y * kSide / side) * kSide + x * kSide / side);
      const auto from = values.begin() + pixel * static_cast<ptrdiff_t>(kChannels);
      result.insert(result.end(), from, from + static_cast<ptrdiff_t>(kChannels));
    }
  }
  return result;
}

void make_folders(const WriteOptions& options) {
  std::error_code error;
  if (fs::exists(options.folder, error) && !fs::is_empty(options.folder, error)) {
    throw input_error(options.folder.string(), "holds something already", "an empty folder, or none");
  }
  for (int type = 0; type < static_cast<int>(kTypes.size()) && !error; ++type) {
    fs::create_directories(options.folder / kImages / folder_name(type), error);
  }
  if (error) throw input_error(options.folder.string(), fmt::format("cannot be made ({})", error.message()));
}

// Published masks have the border inside already.
std::vector<int64_t> runs_of(const SceneEdit& edit, int side) {
  const MaskRuns runs{.list = encode_mask(enlarged<1>(edit.mask, side)), .border = true};
  return encode_mask(decode_mask(runs, side, side).pixels);
}

}  // namespace

std::vector<int64_t> edits_by_type(int64_t count) {
  const int64_t all = std::accumulate(kTypes.begin(), kTypes.end(), int64_t{0},
                                      [](int64_t sum, const Type& type) { return sum + type.published; });
  std::vector<int64_t> counts, order;
  for (const Type& type : kTypes) {
    order.push_back(static_cast<int64_t>(counts.size()));
    counts.push_back(count * type.published / all);
  }
  const auto remainder = [&](int64_t type) { return count * kTypes[static_cast<size_t>(type)].published % all; };
  std::ranges::stable_sort(order, std::ranges::greater(), remainder);
  int64_t missing = count - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  for (const int64_t type : order) {
    if (missing-- > 0) ++counts[static_cast<size_t>(type)];
  }
  return counts;
}

std::pair<std::string, std::string> bracketed(const std::string& source, const std::string& target) {
  std::vector<std::string> from = split(source, ' '), to = split(target, ' ');
  const auto [first, from_end, to_end] = differing(from, to);
  for (const auto& [words, end] : {std::pair(&from, from_end), std::pair(&to, to_end)}) {
    if (first == end) continue;
    (*words)[first] = "[" + (*words)[first];
    (*words)[end - 1] += "]";
  }
  return {join(from, " "), join(to, " ")};
}

std::vector<SceneEdit> draw_edits(int64_t count, int64_t seed) {
  std::vector<SceneEdit> edits;
  int64_t number = 0;  // of the next scene; one that does not allow the type is left out
  const std::vector<int64_t> counts = edits_by_type(count);
  for (int type = 0; type < static_cast<int>(counts.size()); ++type) {
    for (int64_t in_type = 0; in_type < counts[static_cast<size_t>(type)]; ++in_type) {
      Scene scene = scenes::draw_scene(seed, number++);
      while (!allows(scene, type)) scene = scenes::draw_scene(seed, number++);
      edits.push_back(draw_edit(type, in_type, std::move(scene), number - 1, seed));
    }
  }
  return edits;
}

void write_pie_like(const WriteOptions& options) {
  make_folders(options);
  std::string records;
  for (const SceneEdit& edit : draw_edits(options.count, options.seed)) {
    const Image picture = render(edit.scene.description, edit.scene.nuisance);
    const std::string file = fmt::format("{}/{}.jpg", folder_name(edit.type), edit.key);
    const Image large{.height = options.side, .width = options.side, .rgb = enlarged<3>(picture.rgb, options.side)};
    write_jpeg(options.folder / kImages / file, large, kQuality);
    const auto [source, target] = bracketed(caption(edit.scene.description), caption(edit.target));
    const nlohmann::ordered_json record = {{"image_path", file},
                                           {"original_prompt", source},
                                           {"editing_prompt", target},
                                           {"editing_instruction", edit.instruction},
                                           {"editing_type_id", std::to_string(edit.type)},
                                           {"blended_word", edit.blended_word},
                                           {"mask", runs_of(edit, options.side)}};
    records += fmt::format("{}\"{}\": {}", records.empty() ? "" : ",\n", edit.key, record.dump());
  }
  const fs::path list = options.folder / kList;
  std::ofstream stream(list, std::ios::binary);
  stream << "{\n" << records << "\n}\n";
  stream.close();
  if (!stream) throw input_error(list.string(), "cannot be written", "free disk space");
}

}  // namespace roundtrip::data::pie
