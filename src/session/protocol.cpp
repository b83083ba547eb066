#include "session/protocol.h"

#include <fmt/format.h>

#include "data/image_file.h"
#include "data/jpeg.h"
#include "data/resample.h"
#include "session/pixels.h"

namespace roundtrip::session {
namespace {

using columns::View;

// What the published evaluation computes and a metric's own default does not.
struct Preset {
  const char *metric, *key;
  config::Params::Value value;
};

const std::vector<Preset>& released_presets() {
  static const std::vector<Preset> kPresets = {
      {"ssim", "border", "cropped"},
      {"structure_distance", "range", "bytes"},
      {"structure_distance", "antialias", false},
  };
  return kPresets;
}

data::Image image_of(const Tensor& bytes) {  // u8 [H, W, 3]
  const uint8_t* first = bytes.const_data_ptr<uint8_t>();
  return {.height = static_cast<int>(bytes.size(0)),
          .width = static_cast<int>(bytes.size(1)),
          .rgb = {first, first + bytes.numel()}};
}

}  // namespace

Tensor scored_picture(const Protocol& protocol, const Tensor& result) {
  if (protocol.saved == SavedAs::kFloat) return result;
  data::Image image = image_of(protocol.pie == Pie::kReleased ? to_bytes_cut_off(result) : to_bytes(result));
  if (protocol.saved == SavedAs::kJpeg) image = data::decode_image(data::encode_jpeg(image), "the result").image;
  return to_pixels(resized(protocol, image), result.options());
}

data::Image resized(const Protocol& protocol, const data::Image& picture) {
  if (!protocol.resolution) return picture;
  std::vector<std::string> notes;
  const int side = *protocol.resolution;
  return data::fit_to_size(picture, side, side, data::resampling_named("bicubic"), notes);
}

std::vector<View> edit_views(const Protocol& protocol) {
  if (protocol.pie == Pie::kReleased) return {View::kEdit, View::kZeroedBackground, View::kEditedPart, View::kSource};
  return {View::kEdit, View::kZeroedBackground, View::kBackground, View::kEditedPart};
}

bool has_view(const metrics::MetricInfo& metric, View view) {
  switch (view) {
    case View::kCodec:
      return metric.has_floor;
    case View::kEdit:
      return metric.on_pictures();
    case View::kBackground:
      return metric.on_pictures() && metric.background != metrics::Background::kNone;
    case View::kZeroedBackground:
      return metric.on_pictures() && !metric.whole_pictures;
    case View::kEditedPart:
    case View::kSource:
      return metric.on_parts;
  }
  return false;
}

bool is_background(View view) { return view == View::kBackground || view == View::kZeroedBackground; }

bool scores_whole(const Protocol& protocol, const metrics::MetricInfo& metric, bool edits) {
  return protocol.whole_perceptual || !edits || !metric.perceptual || !has_view(metric, View::kZeroedBackground);
}

metrics::MetricParams completed(const Protocol& protocol, metrics::MetricParams params) {
  if (protocol.pie != Pie::kReleased) return params;
  for (const Preset& preset : released_presets()) {
    if (!metrics::Metric::Plugins::has(preset.metric)) continue;
    std::map<std::string, config::Params::Value> values;
    if (const auto section = params.find(preset.metric); section != params.end()) values = section->second.values();
    config::Params::Value& value = values[preset.key];
    if (!std::holds_alternative<std::monostate>(value)) continue;
    value = preset.value;
    params.insert_or_assign(preset.metric, config::Params(fmt::format("metric.{}", preset.metric), std::move(values)));
  }
  return params;
}

std::string key_text(const Protocol& protocol) {
  if (protocol == Protocol()) return "";
  return fmt::format(";pie={},{},{}", static_cast<int>(protocol.pie), static_cast<int>(protocol.saved),
                     protocol.resolution.value_or(0));
}

}  // namespace roundtrip::session
