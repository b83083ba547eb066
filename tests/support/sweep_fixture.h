// Sweeps on the tiny model, from a command line to results.h5, in their own folder with three photographs.
#pragma once

#include <algorithm>
#include <array>
#include <fstream>

#include <gtest/gtest.h>

#include "config/launch.h"
#include "data/png.h"
#include "plan/plan.h"
#include "plan/schema.h"
#include "run/runner.h"
#include "store/results_reader.h"

namespace roundtrip::testing {

class SweepFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("roundtrip-sweep-{}-{}", getpid(), counter_++);
    std::filesystem::create_directories(folder_ / "photos");
    for (int k = 0; k < 3; ++k) write_photo(fmt::format("p{}.png", k), k);
    log_ = std::tmpfile();
  }
  void TearDown() override {
    std::filesystem::remove_all(folder_);
    std::fclose(log_);
  }

  void write_photo(const std::string& name, int kind) const {
    data::Image image{.height = 32, .width = 32, .rgb = {}};
    for (int y = 0; y < 32; ++y) {
      for (int x = 0; x < 32; ++x) {
        const int value = (kind + 1) * (x * 3 + y * 2) % 256;
        for (const int offset : {0, 40, 90}) image.rgb.push_back(static_cast<uint8_t>((value + offset) % 256));
      }
    }
    data::write_png(folder_ / "photos" / name, image);
  }

  plan::Plan plan(std::vector<std::string> words, plan::TrialIds ids = plan::TrialIds::kMake) const {
    // Each applies unless `words` sets it. Texts are copied: g++ 12 reports an overrun of literals if it inlines their
    // construction.
    const std::array<std::pair<std::string_view, std::string>, 4> defaults = {
        {{"engine.threads=", fmt::format("engine.threads={}", 1)},
         {"model.path=", fmt::format("model.path={}", ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd")},
         {"dataset.path=", fmt::format("dataset.path={}", (folder_ / "photos").string())},
         {"metrics=", fmt::format("metrics=[{}]", "mse,psnr,latent_mse")}}};
    for (const auto& [key, word] : defaults) {
      const auto names_it = [&](const std::string& given) { return given.starts_with(key); };
      if (std::ranges::none_of(words, names_it)) words.push_back(word);
    }
    const hydra::Flags flags = hydra::parse_flags(words);
    return plan::make_plan(config::prepare(flags, plan::schema(), hydra::search_path(flags)), ids);
  }

  run::RunOutcome run(const plan::Plan& planned, const std::string& name, std::function<bool()> stop = {}) const {
    return run::run_plan(planned, {.directory = folder_ / name, .stop = std::move(stop), .log = log_});
  }

  std::string log() const {
    std::rewind(log_);
    std::string text;
    for (int c; (c = std::fgetc(log_)) != EOF;) text += static_cast<char>(c);
    return text;
  }

  std::filesystem::path folder_;
  std::FILE* log_ = nullptr;
  static inline int counter_ = 0;
};

}  // namespace roundtrip::testing
