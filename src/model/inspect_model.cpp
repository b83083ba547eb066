#include "model/inspect_model.h"

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

ModelCard inspect_model(ModelOptions options) {
  options.device = at::kMeta;
  Model model = open_model(options);
  ModelCard card = std::move(model);
  card.network = std::move(model.denoiser);
  return card;
}

}  // namespace roundtrip::model
