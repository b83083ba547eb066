// The protocols of PIE-Bench: what happens to a result before it is scored, and which views are.
#include "session/protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/image_file.h"
#include "data/jpeg.h"
#include "session/pixels.h"

namespace roundtrip::session {
namespace {

using columns::View;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

Tensor wave() {  // [3, 32, 32] a little beyond [-1, 1], so that clamping shows
  const Tensor x = at::arange(32, at::kFloat) / 5;
  return 1.1 * at::stack({x.sin().outer(x.cos()), x.cos().outer(x.sin()), (x / 2).sin().outer(x.sin())});
}

TEST(ScoredPicture, IsTheResultItselfUnderProper) {
  const Tensor result = wave();
  EXPECT_TRUE(scored_picture({}, result).is_same(result));
}

TEST(ScoredPicture, IsRoundedAsPngAndCutOffAsReleased) {
  const Tensor result = wave();
  const Tensor bytes = (result / 2 + 0.5).clamp(0, 1) * 255;
  const Tensor rounded = scored_picture({.saved = SavedAs::kPng}, result);
  const Tensor cut = scored_picture({.pie = Pie::kReleased, .saved = SavedAs::kPng}, result);
  EXPECT_TRUE(at::allclose(rounded, bytes.round() / 127.5 - 1, 0, 1e-6));
  EXPECT_TRUE(at::allclose(cut, bytes.floor() / 127.5 - 1, 0, 1e-6));
  EXPECT_FALSE(rounded.equal(cut));
}

TEST(ScoredPicture, PassesThroughTheJpegThatItWouldBeSavedAs) {
  const Tensor result = wave();
  const Protocol released{.pie = Pie::kReleased, .saved = SavedAs::kJpeg};
  const Tensor cut = to_bytes_cut_off(result);
  data::Image image{.height = 32, .width = 32, .rgb = {}};
  image.rgb.assign(cut.const_data_ptr<uint8_t>(), cut.const_data_ptr<uint8_t>() + cut.numel());
  const data::Image decoded = data::decode_image(data::encode_jpeg(image, 75), "wave").image;
  EXPECT_TRUE(scored_picture(released, result).equal(to_pixels(decoded, result.options())));
  EXPECT_NE(decoded.rgb, image.rgb);
}

TEST(ScoredPicture, IsBroughtToTheProtocolsSize) {
  const Tensor scored = scored_picture({.saved = SavedAs::kPng, .resolution = 16}, wave());
  EXPECT_EQ(scored.sizes(), (at::IntArrayRef{3, 16, 16}));
}

TEST(EditViews, FollowTheProtocol) {
  EXPECT_THAT(edit_views({}), Not(Contains(View::kSource)));
  EXPECT_THAT(edit_views({.pie = Pie::kReleased}),
              ElementsAre(View::kEdit, View::kZeroedBackground, View::kEditedPart, View::kSource));
}

TEST(Completed, FillsInWhatTheReleasedCodeComputes) {
  const metrics::MetricParams own = {{"ssim", config::Params("metric.ssim", {{"border", {}}})}};
  const metrics::MetricParams kept = {{"ssim", config::Params("metric.ssim", {{"border", std::string("kept")}})}};
  const Protocol released{.pie = Pie::kReleased};
  EXPECT_EQ(completed({}, own), own);
  EXPECT_EQ(completed(released, own).at("ssim").get_string("border"), "cropped");
  EXPECT_EQ(completed(released, {}).at("ssim").get_string("border"), "cropped");
  EXPECT_EQ(completed(released, kept).at("ssim").get_string("border"), "kept");
}

}  // namespace
}  // namespace roundtrip::session
