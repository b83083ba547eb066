// From the command line to jobs: the program's own configs under its own flags.
#include "config/launch.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace roundtrip::config {
namespace {

Schema small_schema() {
  Schema schema;
  for (const char* section : {"model", "dataset", "method", "engine", "save", "lpips"})
    schema.add_open_section(section);
  schema.add({"task", Type::string()});
  schema.add({"steps", Type::integer().range(1, 1000)});
  schema.add({"guidance_scale", Type::number()});
  schema.add({"invert_guidance_scale", Type::number().or_null()});
  schema.add({"eps_at", Type::one_of({"t", "t-1"})});
  schema.add({"eta", Type::number().range(0, 1)});
  schema.add({"seed", Type::integer().min(0)});
  schema.add({"null_prompt", Type::string()});
  schema.add({"metrics", Type::list(Type::string())});
  return schema;
}

Launch launch_of(const std::vector<std::string>& words) {
  const Flags flags = parse_flags(words);
  return prepare(flags, small_schema(), search_path(flags));
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

TEST(Launch, SweepsInHydrasOrderTheLastKeyFastest) {
  const Launch launch = launch_of(with_paths({"-m", "method=ddim,forward_noise", "steps=10,20"}));
  ASSERT_EQ(launch.jobs.size(), 4u);
  EXPECT_EQ(launch.jobs[1].overrides[0], "method=ddim");
  EXPECT_EQ(launch.jobs[1].overrides[1], "steps=20");
  EXPECT_EQ(launch.jobs[2].config.find("method.name")->as_string(), "forward_noise");
  EXPECT_EQ(launch.swept, (std::vector<std::string>{"method", "steps"}));
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

}  // namespace
}  // namespace roundtrip::config
