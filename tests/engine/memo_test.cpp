#include "engine/memo.h"

#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/closed_form.h"

namespace roundtrip::engine {
namespace {

class MemoTest : public ::testing::Test {
 protected:
  // Each of `readers` asks for `key`, made by a coroutine that itself asks the network.
  std::vector<std::string> read_all(int readers, bool fails) {
    std::vector<std::string> outcomes(readers);
    std::vector<Task<void>> tasks;
    const auto make = [this, fails]() -> Task<double> {
      ++made;
      std::vector<Row> rows;
      rows.emplace_back(at::ones({1, 1, 1}, at::kDouble), 5, Conditioning{});
      const Answer answer = co_await engine.out(std::move(rows), cost);
      const std::vector<Tensor>& eps = answer.out;
      if (fails) throw Error(ErrorKind::kNumeric, "broken pivot");
      co_return eps[0].item<double>();
    };
    const auto reader = [&](int k) -> Task<void> {
      const MemoReader lease(engine.memo(), {"pivots"});
      try {
        Task<std::shared_ptr<const double>> reading = engine.memo().read("pivots", make());
        const std::shared_ptr<const double> value = co_await reading;
        outcomes[k] = fmt::format("{:.6f}", *value);
      } catch (const Error& error) {
        outcomes[k] = error.message();
      }
    };
    engine.memo().expect("pivots", readers);
    for (int k = 0; k < readers; ++k) tasks.push_back(reader(k));
    size_t next = 0;
    engine.run([&]() -> std::optional<Task<void>> {
      if (next == tasks.size()) return std::nullopt;
      return std::move(tasks[next++]);
    });
    return outcomes;
  }

  testing::ConditionedDenoiser denoiser;
  Engine engine{denoiser, {.batch = {.max_batch = 4}, .max_live = 2}};
  Cost cost;
  int made = 0;
};

TEST_F(MemoTest, WorkIsDoneOnceAndReadByAll) {
  const auto outcomes = read_all(7, false);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(denoiser.rows, 1);
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, outcomes[0]);
  EXPECT_EQ(engine.memo().made(), 1);
  EXPECT_EQ(engine.memo().shared(), 6);
}

TEST_F(MemoTest, TheValueGoesWithItsLastReader) {
  read_all(3, false);
  EXPECT_EQ(engine.memo().size(), 0u);
}

TEST_F(MemoTest, FailedWorkFailsForAllItsReaders) {
  for (const std::string& outcome : read_all(4, true)) EXPECT_EQ(outcome, "broken pivot");
  EXPECT_EQ(made, 1);
  EXPECT_EQ(engine.memo().size(), 0u);
}

TEST_F(MemoTest, AReaderThatNeverReadsReleasesItsPlace) {
  engine.memo().expect("latent", 2);
  {
    const MemoReader first(engine.memo(), {"latent"});
  }
  EXPECT_EQ(engine.memo().size(), 1u);
  {
    const MemoReader second(engine.memo(), {"latent"});
  }
  EXPECT_EQ(engine.memo().size(), 0u);
}

}  // namespace
}  // namespace roundtrip::engine
