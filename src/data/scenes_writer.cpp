#include "data/scenes_writer.h"

#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "data/png.h"
#include "data/scenes.h"

namespace roundtrip::data::scenes {
namespace {

namespace fs = std::filesystem;

void make_folders(const WriteOptions& options) {
  std::error_code error;
  if (fs::exists(options.folder, error) && !fs::is_empty(options.folder, error)) {
    throw input_error(options.folder.string(), "holds something already", "an empty folder, or none");
  }
  fs::create_directories(options.folder, error);
  for (const char* beside : {"targets", "masks"}) {
    if (options.edits > 0 && !error) fs::create_directory(options.folder / beside, error);
  }
  if (error) throw input_error(options.folder.string(), fmt::format("cannot be made ({})", error.message()));
}

// Writes one scene's pictures and returns its lines of metadata.jsonl.
std::string write_scene(const WriteOptions& options, int64_t number) {
  const Scene scene = draw_scene(options.seed, number);
  write_png(options.folder / (scene.id + ".png"), render(scene.description, scene.nuisance));
  const nlohmann::ordered_json line = {{"file_name", scene.id + ".png"}, {"text", caption(scene.description)}};
  std::string lines;
  int64_t edits = 0;
  for (const EditedScene& edited : draw_edits(scene)) {
    if (++edits > options.edits) break;
    const std::string_view name = kEdits.at(static_cast<size_t>(edited.edit));
    const std::string target = fmt::format("targets/{}-{}.png", scene.id, name);
    const std::string mask = fmt::format("masks/{}-{}.png", scene.id, name);
    write_png(options.folder / target, render(edited.description, scene.nuisance));
    write_png(options.folder / mask, edited.mask);
    nlohmann::ordered_json edit = line;
    edit["target_text"] = caption(edited.description);
    edit["target_image"] = target;
    edit["mask"] = mask;
    edit["edit"] = name;
    if (const EditWords& words = edited.words; !words.blend_source.empty()) {
      edit["blend_words"] = nlohmann::ordered_json::array({words.blend_source.front(), words.blend_target.front()});
    }
    lines += edit.dump() + "\n";
  }
  return lines.empty() ? line.dump() + "\n" : lines;
}

}  // namespace

void write_scenes(const WriteOptions& options) {
  make_folders(options);
  std::string lines;
  for (int64_t number = 0; number < options.count; ++number) lines += write_scene(options, number);
  const fs::path metadata = options.folder / "metadata.jsonl";
  std::ofstream stream(metadata, std::ios::binary);
  stream << lines;
  stream.close();
  if (!stream) throw input_error(metadata.string(), "cannot be written", "free disk space");
}

}  // namespace roundtrip::data::scenes
