// What planning reads, and what it hands on to a session.
#include "plan/plan.h"

#include <fstream>

#include <gmock/gmock.h>

#include "support/error_of.h"
#include "support/shared_material.h"
#include "support/sweep_fixture.h"

namespace roundtrip::plan {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;

constexpr const char* kModel = ROUNDTRIP_SOURCE_DIR "/tests/golden/models/tiny-sd";

class Planned : public testing::SweepFixture {
 protected:
  static int64_t bytes_read() {
    std::ifstream io("/proc/self/io");
    std::string key;
    int64_t value = 0;
    io >> key >> value;
    return value;
  }
  // A copy of the model, which nothing has hashed yet.
  std::string fresh_model() const {
    fs::copy(kModel, folder_ / "model", fs::copy_options::recursive);
    return "model.path=" + (folder_ / "model").string();
  }
  static int64_t size_of_weights() {
    int64_t size = 0;
    for (const auto& entry : fs::recursive_directory_iterator(kModel)) {
      if (entry.path().extension() == ".safetensors") size += static_cast<int64_t>(entry.file_size());
    }
    return size;
  }
};

TEST_F(Planned, WeightsAreReadForIdsAloneAndOnce) {
  const std::vector<std::string> words = {fresh_model(), "steps=2"};
  plan(words, TrialIds::kOmit);  // whatever is read once per process
  const auto read_by = [&](TrialIds ids) {
    const int64_t start = bytes_read();
    plan(words, ids);
    return bytes_read() - start;
  };
  const int64_t omitted = read_by(TrialIds::kOmit);
  const int64_t made = read_by(TrialIds::kMake);
  const int64_t again = read_by(TrialIds::kMake);
  EXPECT_GE(made - omitted, size_of_weights());
  EXPECT_LT(again, omitted + 4096);
}

TEST_F(Planned, IdsAreOfTheWeightsAndNotOfTheirPath) {
  const Plan here = plan({"steps=2"}), there = plan({fresh_model(), "steps=2"});
  EXPECT_EQ(here.trials[0].id, there.trials[0].id);
}

// A calibration that asked at t = 500 would index past a shorter schedule.
TEST_F(Planned, SessionsAreAskedAtTimesOfTheGrid) {
  EXPECT_THAT(plan({"-m", "steps=2,4"}).sessions.at(0).options.times, ElementsAre(0, 1, 251, 501, 751));
}

// A list in the section of a method was once dropped without a word.
TEST_F(Planned, ListsAndDictsOfAMethodAreRead) {
  const auto refusal = [&](const std::string& override) {
    return testing::error_of([&] { plan({"method=null_text", override}); }, ErrorKind::kType);
  };
  EXPECT_EQ(refusal("method.inner_steps=[1,2]"),
            "command line: method.inner_steps: found [1, 2] of type list; expected int in [0, 100000]");
  EXPECT_EQ(refusal("method.pivots={a: 1}"),
            "command line: method.pivots: found {'a': 1} of type dict; expected one of [ddim, forward_noise]");
  EXPECT_EQ(refusal("+method.inner=[1,2]"), "method.inner: 'null_text' has no such parameter");
  EXPECT_EQ(refusal("+editor.blend={start: .2}"), "editor.blend: 'none' has no such parameter");
  EXPECT_EQ(refusal("+metric.psnr={radius: [1]}"),
            "command line: metric.psnr.radius: found [1] of type list; expected a scalar");
  EXPECT_EQ(refusal("metric.lpips.path=[a]"),
            "command line: metric.lpips.path: found ['a'] of type list; expected a scalar");
  EXPECT_EQ(refusal("+dataset.count={a: 1}"),
            "command line: dataset.count: dataset 'folder' has no such parameter; it has none");
}

// The shift of FLUX's sigmas grows with the number of image tokens.
TEST_F(Planned, GridsOfAFlowAreOfTheSizeOfTheImages) {
  ROUNDTRIP_NEEDS_SHARED("flow");
  const std::string flux = "model.path=" + shared_material("flow/models/tiny-flux").string();
  const Plan planned = plan({"-m", flux, "steps=4", "dataset.size=16,[16,32]", "guidance_scale=3"});
  EXPECT_LT((*planned.trials[0].grid)[1].p, (*planned.trials[1].grid)[1].p);
  EXPECT_EQ(planned.trials[0].settings.guidance, diffusion::GuidanceWay::kTold);
  EXPECT_EQ(planned.asked.most.forward, 2 * 3 * (4 + 4)) << "one row a prediction, whatever the guidance scale";
  EXPECT_EQ(plan({flux, "steps=4"}).trials[0].dataset.size, std::pair(32, 32)) << "the autoencoder's size";
}

TEST_F(Planned, RefusesByNameWhatAModelHasNoUseFor) {
  ROUNDTRIP_NEEDS_SHARED("flow");
  const auto refusal = [&](const std::string& model, std::vector<std::string> words) {
    words.push_back("model.path=" + shared_material("flow/models/" + model).string());
    return testing::error_of([&] { plan(words); }, ErrorKind::kType);
  };
  for (const std::string method : {"null_text", "negative_prompt", "proximal_negative_prompt", "prompt_tuning"}) {
    for (const std::string model : {"tiny-flux", "tiny-flux-schnell"}) {
      EXPECT_THAT(refusal(model, {"method=" + method}),
                  HasSubstr("method.name: found " + method + "; it needs an unconditional prediction"));
    }
  }
  EXPECT_THAT(refusal("tiny-dit", {"method=null_text", "guidance_scale=3"}),
              HasSubstr("this model reads class labels"));
  EXPECT_THAT(refusal("tiny-sd3", {"eta=0.5"}), HasSubstr("eta: "));
  EXPECT_THAT(refusal("tiny-sd3", {"dataset.size=14"}), HasSubstr("14 x 14; expected multiples of 4"));
  EXPECT_THAT(refusal("tiny-sd3", {"task=edit", "editor=masactrl"}), HasSubstr("no attention layers"));
}

TEST_F(Planned, RefusesPromptsThatAreNoClassOfTheModel) {
  ROUNDTRIP_NEEDS_SHARED("flow");
  const std::string dit = "model.path=" + shared_material("flow/models/tiny-dit").string();
  EXPECT_THAT(testing::error_of([&] { plan({dit, "steps=2", "source_prompt=a tench"}); }, ErrorKind::kInput),
              AllOf(HasSubstr("sample "), HasSubstr("not a class of the model")));
  EXPECT_EQ(plan({dit, "steps=2", "source_prompt=3"}).trials.size(), 1);
}

// Results of before the key was there keep their trials' names.
TEST_F(Planned, IdsDoNotDependOnKeysThatAreLeftAlone) {
  ROUNDTRIP_NEEDS_SHARED("flow");
  const std::string sd35 = "model.path=" + shared_material("flow/models/tiny-sd35").string();
  const std::string id = plan({sd35, "steps=2"}).trials[0].id;
  EXPECT_EQ(plan({sd35, "steps=2", "model.t5_tokens=null"}).trials[0].id, id);
  EXPECT_NE(plan({sd35, "steps=2", "model.t5_tokens=16"}).trials[0].id, id);
  EXPECT_EQ(plan({sd35, "steps=2", "model.shift=null"}).trials[0].id, id);
  EXPECT_NE(plan({sd35, "steps=2", "model.shift=1.5"}).trials[0].id, id);
}

}  // namespace
}  // namespace roundtrip::plan
