// A kind of dataset that has parameters of its own, registered here.
#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/error_of.h"

namespace roundtrip::data {
namespace {

using ::roundtrip::testing::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Numbered : public Dataset {
 public:
  explicit Numbered(const DatasetOptions& options) {
    const int64_t count = options.params.get_int("count", {.min = 1, .max = 9});
    for (int64_t k = 0; k < count; ++k) ids_.push_back(options.params.get_string("stem") + std::to_string(k));
  }

  const std::vector<std::string>& ids() const override { return ids_; }
  std::string prompt(size_t) const override { return ""; }
  Sample read(size_t index) const override { return {.id = ids_[index], .pixels = {}, .prompt = "", .notes = {}}; }
  std::string digest(size_t index) const override { return ids_[index]; }

 private:
  std::vector<std::string> ids_;
};

const Registered<Dataset, Numbered> numbered({.name = "numbered"});

DatasetOptions with(std::map<std::string, config::Params::Value> values) {
  DatasetOptions options;
  options.name = "numbered";
  options.params = config::Params("dataset", std::move(values), {{"count", "mine.yaml:2"}});
  return options;
}

std::string refusal(std::map<std::string, config::Params::Value> values, ErrorKind kind = ErrorKind::kType) {
  return error_of([&] { open_dataset(with(std::move(values))); }, kind);
}

TEST(DatasetKind, ReadsItsOwnParameters) {
  EXPECT_THAT(open_dataset(with({{"count", int64_t{2}}, {"stem", std::string("a")}}))->ids(), ElementsAre("a0", "a1"));
  EXPECT_FALSE(with({{"count", int64_t{2}}}) == with({{"count", int64_t{3}}}));
}

TEST(DatasetKind, RefusesParametersThatAreWrongUnknownOrMissing) {
  EXPECT_EQ(refusal({{"count", int64_t{10}}, {"stem", std::string("a")}}),
            "mine.yaml:2: dataset.count: found 10 of type int; expected int in [1, 9]");
  EXPECT_EQ(refusal({{"count", int64_t{1}}, {"stem", std::string("a")}, {"conut", int64_t{2}}}),
            "dataset.conut: dataset 'numbered' has no such parameter; it has count, stem. Did you mean 'count'?");
  EXPECT_THAT(refusal({{"stem", std::string("a")}}, ErrorKind::kMissing),
              HasSubstr("dataset.count is not in the config"));
  DatasetOptions folder = with({{"count", int64_t{2}}});
  folder.name = "folder";
  folder.path = ROUNDTRIP_SOURCE_DIR "/datasets/scenes";
  EXPECT_THAT(error_of([&] { open_dataset(folder); }, ErrorKind::kType),
              HasSubstr("dataset.count: dataset 'folder' has no such parameter; it has none"));
}

}  // namespace
}  // namespace roundtrip::data
