#include "rescore/kept_pictures.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::rescore {
namespace {

std::string path_of(const char* group, int64_t row) { return fmt::format("{}/{}", group, row); }

data::Image read_picture(const store::ResultsReader& results, const char* group, int64_t row) {
  const std::string path = path_of(group, row);
  const store::Array array = results.array(path);
  if (array.type != store::ArrayType::kUint8 || array.shape.size() != 3 || array.shape[2] != 3) {
    throw input_error(results.path().string() + ":/" + path, "an array of shape " + shape_text(array.shape),
                      "a picture: bytes [height, width, 3]");
  }
  const auto* first = reinterpret_cast<const uint8_t*>(array.bytes.data());
  return {.height = static_cast<int>(array.shape[0]),
          .width = static_cast<int>(array.shape[1]),
          .rgb = {first, first + array.bytes.size()}};
}

}  // namespace

KeptRecords find_kept(const store::ResultsReader& results) {
  const std::vector<int64_t> trials = results.integers("trial");
  const std::vector<std::string> status = results.texts("status"), samples = results.texts("sample"),
                                 edits = results.texts("edit"), digests = results.texts("input_digest");
  KeptRecords kept;
  for (int64_t row = 0; row < results.records(); ++row) {
    if (status[row] != "ok") {
      ++kept.failed;
    } else if (results.has_array(path_of("images", row)) && results.has_array(path_of("sources", row))) {
      kept.records.push_back({row, {static_cast<size_t>(trials[row]), samples[row], edits[row], digests[row]}});
    } else {
      ++kept.without_picture;
    }
  }
  return kept;
}

KeptPictures read_pictures(const store::ResultsReader& results, int64_t row) {
  KeptPictures pictures{.source = read_picture(results, "sources", row),
                        .result = read_picture(results, "images", row)};
  if (pictures.source.height != pictures.result.height || pictures.source.width != pictures.result.width) {
    throw input_error(fmt::format("{}: row {}", results.path().string(), row),
                      "what came back has another size than its source", "the results of a run");
  }
  return pictures;
}

}  // namespace roundtrip::rescore
