// Plans in a UNet: rows that no plan names keep their bits, entries that name the row itself change nothing, and a plan
// means the same wherever its rows lie. Values of edits are held against a reference in run/ptp_golden_test.cpp.
#include "model/attention_control.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "model/model_folder.h"
#include "support/error_of.h"

namespace roundtrip::model {
namespace {

using diffusion::AttentionPlan;
using diffusion::Place;
using diffusion::Route;

class AttentionControlTest : public ::testing::Test {
 protected:
  AttentionControlTest() {
    at::manual_seed(3);
    batch.x = at::randn({8, 4, 16, 16});
    batch.t = at::full({8}, 501, at::kDouble);
    batch.conditioning.tokens = at::randn({8, 77, 32});
  }
  ~AttentionControlTest() override { at::set_num_threads(threads); }

  // The batch with rows linked, and what the plans saw.
  Tensor out(std::vector<std::pair<int64_t, AttentionPlan>> plans, int64_t count = 3) {
    diffusion::Batch linked = batch;
    for (auto& [first, plan] : plans) {
      linked.linked.push_back({first, count, std::make_shared<const AttentionPlan>(std::move(plan))});
    }
    const Tensor result = model.denoiser->out(linked);
    seen.clear();
    for (const diffusion::LinkedRows& rows : linked.linked) seen.push_back(*rows.seen);
    return result;
  }

  static AttentionPlan routed(Route::Kind kind, int row, int source) {
    AttentionPlan plan;
    plan.routes.push_back({.sites = {}, .kind = kind, .row = row, .source = source});
    return plan;
  }
  static AttentionPlan mixed(int row, int source, Tensor P, Tensor d) {
    AttentionPlan plan;
    plan.mixes.push_back({.sites = {}, .row = row, .source = source, .P = std::move(P), .d = std::move(d)});
    return plan;
  }

  const at::NoGradGuard no_grad;
  int threads = at::get_num_threads();
  Model model = open_model({.path = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd"});
  diffusion::Batch batch;
  std::vector<diffusion::Seen> seen;
};

TEST_F(AttentionControlTest, RowsThatNoEntryNamesKeepTheirBits) {
  const Tensor plain = out({});
  std::vector<AttentionPlan> plans;
  for (const auto kind : {Route::Kind::kSourceMap, Route::Kind::kSourceContent, Route::Kind::kUnion}) {
    plans.push_back(routed(kind, 1, 0));
  }
  plans.push_back(mixed(1, 0, at::eye(77) * 0.5, at::full({77}, 0.5)));
  plans.push_back(mixed(1, 0, at::eye(77), at::zeros({77})));
  AttentionPlan graft;
  graft.grafts.push_back({.resnet = "up_blocks.1.resnets.1", .row = 1, .source = 0});
  plans.push_back(graft);
  AttentionPlan watch;
  watch.watches.push_back({.sites = {.min_tokens = 64, .max_tokens = 64}, .row = 0, .columns = at::ones({77})});
  watch.routes = routed(Route::Kind::kSourceMap, 1, 0).routes;
  plans.push_back(watch);
  for (const AttentionPlan& plan : plans) {
    const Tensor linked = out({{4, plan}});  // rows 4 to 6; row 5 is the one that changes
    EXPECT_FALSE(at::equal(linked[5], plain[5]));
    for (const int64_t row : {0, 1, 2, 3, 4, 6, 7}) EXPECT_TRUE(at::equal(linked[row], plain[row])) << row;
  }
}

TEST_F(AttentionControlTest, ARowThatTakesItsOwnMapsOrItsTwinsIsItself) {
  const Tensor plain = out({});
  EXPECT_TRUE(at::equal(out({{0, routed(Route::Kind::kSourceMap, 1, 1)}}), plain));
  EXPECT_TRUE(at::equal(out({{0, routed(Route::Kind::kSourceContent, 1, 1)}}), plain));
  EXPECT_TRUE(at::equal(out({{0, mixed(1, 1, at::eye(77), at::zeros({77}))}}), plain));
  EXPECT_TRUE(at::equal(out({{0, mixed(1, 0, at::zeros({77, 77}), at::ones({77}))}}), plain));
  // Every key twice: the same mean, to rounding.
  EXPECT_TRUE(at::allclose(out({{0, routed(Route::Kind::kUnion, 1, 1)}}), plain, 1e-4, 1e-4));
  batch.x[1] = batch.x[0];
  batch.conditioning.tokens[1] = batch.conditioning.tokens[0];
  const Tensor twins = out({});
  for (const auto kind : {Route::Kind::kSourceMap, Route::Kind::kSourceContent}) {
    EXPECT_TRUE(at::equal(out({{0, routed(kind, 1, 0)}})[1], twins[0]));
  }
  EXPECT_TRUE(at::equal(out({{0, mixed(1, 0, at::eye(77), at::zeros({77}))}})[1], twins[0]));
}

TEST_F(AttentionControlTest, APlanMeansTheSameWhereverItsRowsLieAndOnOneThreadOrTwo) {
  AttentionPlan plan = mixed(1, 0, at::rand({77, 77}), at::rand({77}));
  plan.routes = routed(Route::Kind::kSourceMap, 1, 0).routes;
  plan.watches.push_back({.sites = {.places = {Place::kUp}, .min_tokens = 256}, .row = 1, .columns = at::rand({77})});
  const Tensor first = out({{0, plan}});
  const diffusion::Seen seen_first = seen[0];
  const auto moved = [](const Tensor& rows) { return at::roll(rows, {2}, {0}); };
  batch.x = moved(batch.x);
  batch.conditioning.tokens = moved(batch.conditioning.tokens);
  EXPECT_TRUE(at::allclose(out({{2, plan}}), moved(first), 1e-4, 1e-4));  // across the border of two slices
  EXPECT_TRUE(at::allclose(seen[0].watched[0], seen_first.watched[0], 1e-4, 1e-5));
  at::set_num_threads(1);
  EXPECT_TRUE(at::allclose(out({{2, plan}}), moved(first), 1e-4, 1e-4));
}

TEST_F(AttentionControlTest, AWatchSumsToOneOverTheTokensAtEachLayer) {
  AttentionPlan plan;
  for (const int row : {0, 2}) {
    plan.watches.push_back({.sites = {.places = {Place::kDown, Place::kUp}}, .row = row, .columns = at::ones({77})});
  }
  out({{0, plan}});
  for (const Tensor& map : seen[0].watched) {
    EXPECT_EQ(map.sizes(), (at::IntArrayRef{16, 16}));
    EXPECT_TRUE(at::allclose(map, at::full({16, 16}, 3.0), 1e-5, 1e-5));  // one layer down, two up
  }
}

TEST_F(AttentionControlTest, AnEmptyRegionReadsTheMeanOfAllValues) {
  AttentionPlan nothing = routed(Route::Kind::kSourceContent, 1, 0), all = nothing;
  nothing.routes[0].regions = {at::zeros({16, 16}), at::ones({16, 16})};
  all.routes[0].regions = {at::ones({16, 16}), at::ones({16, 16})};
  EXPECT_TRUE(at::isfinite(out({{0, nothing}})).all().item<bool>());
  EXPECT_TRUE(at::allclose(out({{0, all}}), out({{0, routed(Route::Kind::kSourceContent, 1, 0)}}), 1e-4, 1e-4));
}

TEST_F(AttentionControlTest, SitesAreThoseThatAPassGoesThrough) {
  for (const auto& [h, w] : std::vector<std::pair<int64_t, int64_t>>{{16, 16}, {18, 10}, {7, 9}}) {
    batch.x = at::randn({3, 4, h, w});
    batch.t = at::full({3}, 501, at::kDouble);
    batch.conditioning.tokens = at::randn({3, 77, 32});
    const std::vector<diffusion::Site> sites = model.denoiser->attention_sites(h, w);
    ASSERT_EQ(sites.size(), 4u);
    for (const diffusion::Site& site : sites) {
      AttentionPlan plan;
      plan.watches.push_back(
          {.sites = {.places = {site.place}, .depths = {site.depth}}, .row = 0, .columns = at::ones({77})});
      out({{0, plan}});
      EXPECT_EQ(seen[0].watched[0].sizes(), (at::IntArrayRef{site.h, site.w}));
    }
  }
}

TEST_F(AttentionControlTest, AWatchThatMatchesNoLayerIsAnError) {
  AttentionPlan plan;
  plan.watches.push_back({.sites = {.min_tokens = 17, .max_tokens = 17}, .row = 0, .columns = at::ones({77})});
  EXPECT_THROW(out({{0, plan}}), Error);
}

}  // namespace
}  // namespace roundtrip::model
