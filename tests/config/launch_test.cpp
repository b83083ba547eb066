// From the command line to jobs: the program's own configs under its own flags.
#include "config/launch.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/text.h"
#include "support/small_schema.h"

namespace roundtrip::config {
namespace {

using hydra::Job;
using hydra::Launch;
using hydra::Node;

Launch launch_of(const std::vector<std::string>& words) {
  const hydra::Flags flags = hydra::parse_flags(words);
  return prepare(flags, testing::small_schema(), search_path(flags));
}

std::vector<std::string> with_paths(std::vector<std::string> words) {
  words.insert(words.end(), {"model.path=M", "dataset.path=D"});
  return words;
}

Error error_of(const std::vector<std::string>& words) {
  try {
    launch_of(words);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::kInternal, "no error");
}

TEST(Launch, TheFirstCommandOfTheDesignComposes) {
  const Launch launch = launch_of({"model.path=M", "dataset=folder", "dataset.path=D", "method=ddim", "steps=10",
                                   "eps_at=t-1", "save.trajectories=true", "hydra.run.dir=OUT"});
  ASSERT_EQ(launch.jobs.size(), 1u);
  const Node& config = launch.jobs[0].config;
  EXPECT_EQ(config.find("steps")->as_int(), 10);
  EXPECT_EQ(config.find("eps_at")->as_string(), "t-1");
  EXPECT_EQ(config.find("method.name")->as_string(), "ddim");
  EXPECT_TRUE(config.find("save.trajectories")->as_bool());
  EXPECT_EQ(config.find("hydra"), nullptr);
  EXPECT_EQ(launch.output_dir, "OUT");
  EXPECT_FALSE(launch.multirun);
}

// Jobs share what does not vary among them; each must be what its own overrides compose to.
TEST(Launch, JobsOfASweepAreWhatTheyAreAlone) {
  std::mt19937 random(20261125);
  const std::vector<std::vector<std::string>> axes = {
      {"method=ddim", "method=forward_noise", "method=null_text"},
      {"steps=10", "steps=20", "steps=1${seed}"},
      {"guidance_scale=1", "guidance_scale=7.5", "guidance_scale=${eta}"},
      {"eps_at=t", "eps_at=t-1"},
      {"seed=1", "seed=2", "seed=3"},
      {"null_prompt=a", "null_prompt='${method.name} at ${steps}'", "null_prompt=${oc.select:expect,none}"},
      {"metrics=[mse]", "metrics=['${eps_at}',psnr]"},
  };
  for (int sweep = 0; sweep < 10; ++sweep) {
    std::vector<std::vector<std::string>> taken = axes;
    std::shuffle(taken.begin(), taken.end(), random);
    taken.resize(2 + random() % 4);
    std::vector<std::string> words = {"-m", "dataset.prompt='at ${steps} of ${method.name}'", "eta=0.5"};
    for (const auto& axis : taken) {
      const std::string key = axis[0].substr(0, axis[0].find('='));
      std::vector<std::string> values;
      for (const std::string& item : axis) values.push_back(item.substr(key.size() + 1));
      words.push_back(key + "=" + join(values, ","));
    }
    for (const Job& job : launch_of(with_paths(words)).jobs) {
      const Launch alone = launch_of(job.overrides);
      ASSERT_EQ(alone.jobs.size(), 1u);
      EXPECT_EQ(job.config, alone.jobs[0].config) << join(job.overrides, " ");
    }
  }
}

TEST(Launch, SweepsInHydrasOrderTheLastKeyFastest) {
  const Launch launch = launch_of(with_paths({"-m", "method=ddim,forward_noise", "steps=10,20"}));
  ASSERT_EQ(launch.jobs.size(), 4u);
  EXPECT_EQ(launch.jobs[1].overrides[0], "method=ddim");
  EXPECT_EQ(launch.jobs[1].overrides[1], "steps=20");
  EXPECT_EQ(launch.jobs[2].config.find("method.name")->as_string(), "forward_noise");
  EXPECT_EQ(launch.swept, (std::vector<std::string>{"method", "steps"}));
}

TEST(Launch, AKeyThatDiffersFromGridToGridIsSwept) {
  const Launch launch =
      launch_of(with_paths({"-m", "hydra.sweeper.params=[{steps:10,seed:'0,1'},{steps:20,seed:'0,1'}]"}));
  ASSERT_EQ(launch.jobs.size(), 4u);
  EXPECT_EQ(launch.swept, (std::vector<std::string>{"steps", "seed"}));
}

TEST(Launch, MissingValuesAreNamedAllAtOnce) {
  const Error error = error_of({});
  EXPECT_EQ(error.kind(), ErrorKind::kMissing);
  EXPECT_NE(error.message().find("model.path, dataset.path"), std::string::npos) << error.what();
}

TEST(Launch, AValueOfTheWrongTypeNamesTheOverrideAndTheRange) {
  const Error error = error_of(with_paths({"steps=abc"}));
  EXPECT_EQ(error.message(), "Error merging override steps=abc");
  EXPECT_NE(error.details().find("int in [1, 1000]"), std::string::npos) << error.what();
}

TEST(Launch, ASweepFailsBeforeItsFirstJobAndNamesTheBadOne) {
  const Error error = error_of(with_paths({"-m", "steps=10,0"}));
  EXPECT_EQ(error.kind(), ErrorKind::kType);
  EXPECT_NE(error.details().find("job 1 of 2"), std::string::npos) << error.what();
}

TEST(Launch, ASweepWithoutMultirunIsAmbiguous) {
  EXPECT_EQ(error_of(with_paths({"steps=10,20"})).message(), "Ambiguous value for argument 'steps=10,20'");
  EXPECT_EQ(error_of(with_paths({"steps=range(1,3)"})).message(),
            "Sweep parameters 'steps=range(1,3)' requires --multirun");
}

std::vector<std::string> steps_of(const Launch& launch) {
  std::vector<std::string> steps;
  for (const Job& job : launch.jobs) steps.push_back(python_str(*job.config.find("steps")));
  return steps;
}

TEST(Launch, AZipAdvancesItsMembersTogether) {
  const Launch launch = launch_of(with_paths({"-m", "z=zip(steps=[10,20],eps_at=[t,t-1])", "eta=0,1"}));
  ASSERT_EQ(launch.jobs.size(), 4u);
  EXPECT_EQ(launch.jobs[3].overrides,
            (std::vector<std::string>{"steps=20", "eps_at=t-1", "eta=1", "model.path=M", "dataset.path=D"}));
  EXPECT_EQ(error_of(with_paths({"-m", "z=zip(steps=[10,20],eps_at=[t])"})).kind(), ErrorKind::kParse);
}

TEST(Launch, AxesFromTheSweepersParamsComeBeforeThoseOfTheCommandLine) {
  const Launch launch = launch_of(with_paths({"-m", "eta=0,1", "+hydra.sweeper.params.steps='1,2'"}));
  EXPECT_EQ(steps_of(launch), (std::vector<std::string>{"1", "1", "2", "2"}));
  EXPECT_EQ(launch.jobs[1].overrides[0], "steps=1");
  EXPECT_EQ(launch.jobs[1].overrides[1], "eta=1");
}

TEST(Launch, AListOfGridsIsRunOneAfterTheOther) {
  const Launch launch =
      launch_of(with_paths({"-m", "hydra.sweeper.params=[{steps:'1,2',eta:'0'},{steps:'30',eta:'0,1'}]"}));
  EXPECT_EQ(steps_of(launch), (std::vector<std::string>{"1", "2", "30", "30"}));
}

TEST(Launch, CombinationsThatARuleHoldsForAreLeftOut) {
  const std::vector<std::string> sweep = {"-m", "method=ddim,forward_noise", "steps=10,50,100"};
  std::vector<std::string> words = with_paths(sweep);
  words.push_back("hydra.sweeper.exclude=['method=forward_noise and steps>10','steps=[100]']");
  const Launch launch = launch_of(words);
  EXPECT_EQ(steps_of(launch), (std::vector<std::string>{"10", "50", "10"}));
  EXPECT_EQ(launch.jobs[2].num, 2);
  ASSERT_EQ(launch.warnings.size(), 1u);
  EXPECT_EQ(launch.warnings[0], "3 of 6 combinations are excluded");

  words.back() = "hydra.sweeper.exclude=['stepz>10']";
  EXPECT_NE(error_of(words).message().find("Did you mean 'steps'?"), std::string::npos) << error_of(words).what();
  words.back() = "hydra.sweeper.exclude=['steps']";
  EXPECT_NE(error_of(words).message().find("compares nothing"), std::string::npos);
  words.back() = "hydra.sweeper.exclude=['method>10']";
  EXPECT_NE(error_of(words).message().find("have no order"), std::string::npos);
  words.back() = "hydra.sweeper.exclude=['steps>=0']";
  EXPECT_NE(error_of(words).message().find("leaves none"), std::string::npos);
}

TEST(Launch, AShuffleIsTheSameEachTimeAndAnotherUnderAnotherSeed) {
  const auto shuffled = [](const std::string& seed) {
    return steps_of(launch_of(with_paths({"-m", "steps=shuffle(range(1,40))", "hydra.sweeper.seed=" + seed})));
  };
  std::vector<std::string> once = shuffled("0");
  EXPECT_EQ(once, shuffled("0"));
  EXPECT_NE(once, shuffled("1"));
  std::sort(once.begin(), once.end());
  EXPECT_EQ(once.size(), 39u);
  EXPECT_EQ(std::unique(once.begin(), once.end()), once.end());
}

TEST(Launch, AnEmptySweepIsAnError) {
  EXPECT_EQ(error_of(with_paths({"-m", "steps=range(3,0)"})).message(), "sweep over 'steps' is empty");
  EXPECT_EQ(error_of(with_paths({"-m", "method=glob(zz*)"})).message(), "sweep over 'method' is empty");
}

TEST(Launch, TheHydraNodeIsTyped) {
  EXPECT_EQ(error_of(with_paths({"hydra.foo=1"})).message(), "Could not override 'hydra.foo'.");
  EXPECT_EQ(error_of(with_paths({"+hydra.foo=1"})).message(), "Key 'foo' not in 'HydraConf'");
  EXPECT_NE(error_of(with_paths({"hydra.mode=FOO"})).message().find("expected one of [RUN, MULTIRUN]"),
            std::string::npos);
  EXPECT_NE(error_of(with_paths({"hydra.job.chdir=true"})).message().find("not supported"), std::string::npos);
  EXPECT_NE(error_of(with_paths({"hydra.sweeper.max_batch_size=0"})).message().find("at least 1"), std::string::npos);
}

TEST(Launch, HydrasOwnGroupsAreTakenAsTheyAreAndNoOtherWay) {
  EXPECT_EQ(launch_of(with_paths({"hydra/job_logging=none", "hydra/launcher=basic"})).jobs.size(), 1u);
  EXPECT_NE(error_of(with_paths({"hydra/launcher=joblib"})).details().find("hydra/launcher=basic"), std::string::npos);
}

TEST(Launch, TheModeMaySweepWithoutTheFlag) {
  EXPECT_TRUE(launch_of(with_paths({"hydra.mode=MULTIRUN", "steps=1,2"})).multirun);
  const Launch launch = launch_of(with_paths({"-m", "hydra.mode=RUN", "steps=1,2"}));
  EXPECT_EQ(launch.jobs.size(), 2u);
  EXPECT_EQ(launch.warnings.size(), 1u);
}

TEST(Launch, InterpolationsSeeTheJobAndItsEnvironment) {
  const Launch launch = launch_of(with_paths({"-m", "seed=3,4", "null_prompt='${hydra:job.num}-${oc.env:RT_X}-${seed}'",
                                              "+hydra.job.env_set.RT_X=x", "hydra.sweep.dir='out-${hydra.job.name}'"}));
  EXPECT_EQ(launch.jobs[1].config.find("null_prompt")->as_string(), "1-x-4");
  EXPECT_EQ(launch.output_dir, "out-roundtrip");
  EXPECT_EQ(launch.environment.at("RT_X"), "x");
}

TEST(Launch, ASubdirIsResolvedForEachJob) {
  const Launch launch =
      launch_of(with_paths({"-m", "steps=1,2", "hydra.sweep.subdir='${hydra.job.num}_${hydra.job.override_dirname}'",
                            "hydra.job.config.override_dirname.exclude_keys=[model.path,dataset.path]"}));
  EXPECT_EQ(launch.jobs[0].subdir, "0_steps=1");
  EXPECT_EQ(launch.jobs[1].subdir, "1_steps=2");
}

TEST(Launch, ConfigsAreKeptAsTheyWereComposed) {
  const Launch launch = launch_of(with_paths({"seed=3", "steps='${seed}'"}));
  EXPECT_EQ(launch.composed.find("steps")->as_string(), "${seed}");
  EXPECT_EQ(launch.jobs[0].config.find("steps")->as_int(), 3);
}

}  // namespace
}  // namespace roundtrip::config
