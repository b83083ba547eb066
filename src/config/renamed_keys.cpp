// The keys of this program that had another name in earlier versions.
#include "hydra/compose/renamed_keys.h"

namespace roundtrip::config {
namespace {

const hydra::RenamedKey lpips("lpips", "metric.lpips");
const hydra::RenamedKey attributes("attributes", "metric.attribute_accuracy");
const hydra::RenamedKey clip("clip", "metric.clip_similarity");

}  // namespace
}  // namespace roundtrip::config
