#include "model/inspect_model.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file_digest.h"
#include "base/hash.h"
#include "model/model_folder.h"

namespace roundtrip::model {

std::string ModelCard::digest() const {
  Hasher hasher;
  for (const WeightFile& file : weight_files) {
    hasher.add(file.component).add(file.path.filename().string()).add(remembered_sha256_of_file(file.path));
  }
  return hasher.hex();
}

diffusion::StepGrid ModelCard::grid(int steps, int64_t height, int64_t width) const {
  if (const auto* flow = std::get_if<diffusion::FlowConfig>(&schedule)) {
    return diffusion::flow_grid(*flow, steps, (height / pixel_multiple) * (width / pixel_multiple));
  }
  return diffusion::ddim_grid(diffusion::NoiseSchedule(std::get<diffusion::ScheduleConfig>(schedule)), steps);
}

void ModelCard::check_size(int64_t height, int64_t width) const {
  std::string expected;
  if (height % pixel_multiple != 0 || width % pixel_multiple != 0) {
    expected = fmt::format("multiples of {}, the model's factor", pixel_multiple);
  } else if (max_pixels > 0 && std::max(height, width) > max_pixels) {
    expected = fmt::format("at most {} x {}, the model's table of positions", max_pixels, max_pixels);
  } else if (square && height != width) {
    expected = "a square, which is all that the model's class takes";
  }
  if (expected.empty()) return;
  throw Error(ErrorKind::kType, fmt::format("dataset.size: {} x {}; expected {}", height, width, expected));
}

ModelCard inspect_model(ModelOptions options) {
  options.device = at::kMeta;
  Model model = open_model(options);
  ModelCard card = std::move(model);
  card.network = std::move(model.denoiser);
  card.prompts = std::move(model.text);
  return card;
}

}  // namespace roundtrip::model
