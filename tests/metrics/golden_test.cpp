// Photograph crops with distortions against the values of torchmetrics and of the LPIPS authors' weights.
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/dataset.h"
#include "metrics/metric.h"
#include "metrics/mse.h"
#include "metrics/pair.h"
#include "support/scratch_folder.h"
#include "support/shared_material.h"

namespace roundtrip::metrics {
namespace {

constexpr const char* kGolden = "golden/metrics/values.json";

// [1, 3, H, W] on [0, 1]
Tensor as_tensor(const data::Image& image) {
  return at::tensor(at::ArrayRef<uint8_t>(image.rgb), at::kByte)
      .reshape({1, image.height, image.width, 3})
      .permute({0, 3, 1, 2})
      .to(at::kFloat)
      .div(255);
}

struct Case {
  std::string name;
  Tensor reference, test;
  nlohmann::json values;
};

std::vector<Case> golden_cases() {
  const std::filesystem::path file = shared_material(kGolden);
  data::DatasetOptions options;
  options.name = "folder";
  options.path = file.parent_path();
  const auto dataset = data::open_dataset(options);
  std::map<std::string, Tensor> images;
  for (size_t index = 0; index < dataset->ids().size(); ++index) {
    images[dataset->ids()[index] + ".png"] = as_tensor(dataset->read(index).pixels);
  }
  std::vector<Case> cases;
  std::ifstream stream(file);
  for (const nlohmann::json& values : nlohmann::json::parse(stream)) {
    const std::string test = values["test"];
    cases.push_back({test, images.at(values["reference"]), images.at(test), values});
  }
  return cases;
}

// `key` of values.json for every case; null stands for +inf.
void hold_to_golden(Metric& metric, const char* key, double tolerance) {
  const std::vector<Case> cases = golden_cases();
  ASSERT_GE(cases.size(), 20u);
  for (const Case& c : cases) {
    const double found = metric.score(pair(c.reference, c.test)).item<double>();
    if (c.values[key].is_null()) {
      EXPECT_EQ(found, std::numeric_limits<double>::infinity()) << c.name;
    } else {
      EXPECT_NEAR(found, c.values[key].get<double>(), tolerance) << c.name;
    }
  }
}

TEST(Golden, Mse) {
  ROUNDTRIP_NEEDS_SHARED(kGolden);
  hold_to_golden(*make_metric("mse"), "mse", 1e-9);
}

TEST(Golden, Psnr) {
  ROUNDTRIP_NEEDS_SHARED(kGolden);
  hold_to_golden(*make_metric("psnr"), "psnr", 1e-3);
}

TEST(Golden, Ssim) {
  ROUNDTRIP_NEEDS_SHARED(kGolden);
  hold_to_golden(*make_metric("ssim"), "ssim", 1e-5);
}

TEST(Golden, SsimWithoutItsBorder) {
  ROUNDTRIP_NEEDS_SHARED(kGolden);
  const MetricParams cropped = {{"ssim", config::Params("metric.ssim", {{"border", "cropped"}})}};
  hold_to_golden(*make_metric("ssim", cropped), "ssim_skimage", 1e-4);
}

// [1, 1, H, W]: true but for the edited region that values.json gives as [y0, y1, x0, x1].
Tensor background_of(const Case& c) {
  const auto box = c.values["mask"].get<std::array<int64_t, 4>>();
  Tensor background = at::ones({1, 1, c.reference.size(2), c.reference.size(3)}, at::kBool);
  background.slice(2, box[0], box[1]).slice(3, box[2], box[3]).fill_(false);
  return background;
}

TEST(Golden, BackgroundIsTheMeanOverItsPixels) {
  ROUNDTRIP_NEEDS_SHARED(kGolden);
  for (const Case& c : golden_cases()) {
    const Tensor error = mean_squared_error(c.reference, c.test, background_of(c));
    EXPECT_NEAR(error.item<double>(), c.values["mse_background"].get<double>(), 1e-9) << c.name;
    const double psnr = peak_signal_to_noise(error).item<double>();
    if (c.values["psnr_background"].is_null()) {
      EXPECT_EQ(psnr, std::numeric_limits<double>::infinity()) << c.name;
    } else {
      EXPECT_NEAR(psnr, c.values["psnr_background"].get<double>(), 1e-3) << c.name;
    }
  }
}

TEST(Golden, PsnrOfZeroedFrames) {
  ROUNDTRIP_NEEDS_SHARED(kGolden);
  const auto psnr = make_metric("psnr");
  for (const Case& c : golden_cases()) {
    if (c.values["psnr_background_zeroed"].is_null()) continue;
    const Tensor kept = background_of(c);
    EXPECT_NEAR(psnr->score(pair(c.reference * kept, c.test * kept)).item<double>(),
                c.values["psnr_background_zeroed"].get<double>(), 1e-3)
        << c.name;
  }
}

std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

// The whole way: weight files, scripts/export_lpips.py, TorchScript, here.
TEST(Golden, LpipsAsExported) {
  ROUNDTRIP_NEEDS_SHARED(kGolden);
  ROUNDTRIP_NEEDS_SHARED("lpips/squeezenet1_1_features.safetensors");
  const std::filesystem::path source = ROUNDTRIP_SOURCE_DIR;
  const char* chosen = std::getenv("ROUNDTRIP_PYTHON");
  const std::filesystem::path python = chosen ? std::filesystem::path(chosen) : source / ".venv/bin/python";
  if (!std::filesystem::exists(python)) GTEST_SKIP() << "SKIPPED FOR LACK OF PYTHON: " << python << " is not there";

  const ScratchFolder folder;
  const std::filesystem::path module = folder.path() / "lpips_squeeze.pt";
  const std::string command =
      quoted(python) + " " + quoted(source / "scripts/export_lpips.py") + " --net squeeze --trunk " +
      quoted(shared_material("lpips/squeezenet1_1_features.safetensors")) + " --heads " +
      quoted(shared_material("lpips/lpips_v0.1_squeeze_lins.safetensors")) + " -o " + quoted(module);
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto lpips = make_metric("lpips", with_module("lpips", module));
  hold_to_golden(*lpips, "lpips_squeeze", 1e-4);
  for (const Case& c : golden_cases()) {
    const Tensor kept = background_of(c);
    EXPECT_NEAR(lpips->score(pair(c.reference * kept, c.test * kept)).item<double>(),
                c.values["lpips_squeeze_background_zeroed"].get<double>(), 1e-4)
        << c.name;
  }

  const Tensor small = at::rand({5, 3, 32, 32});
  EXPECT_TRUE(lpips->score(pair(small, at::rand({5, 3, 32, 32}))).gt(0).all().item<bool>());
  EXPECT_EQ(lpips->info().version, "0.1 squeeze, trunk 29dd9af42ad4, heads 7b35c219aaf5");
}

}  // namespace
}  // namespace roundtrip::metrics
