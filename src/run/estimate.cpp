#include "run/estimate.h"

#include <algorithm>
#include <functional>

#include "base/stopwatch.h"
#include "run/table.h"
#include "session/peak_memory.h"
#include "session/session.h"

namespace roundtrip::run {
namespace {

using at::Tensor;
using engine::Task;

constexpr int64_t kBytesPerValue = 12;  // in a column: a number, or a text and its position
constexpr int64_t kBytesPerStep = 6 * 8;

Task<void> ask_out(engine::Engine& engine, engine::Row row) {
  engine::Cost cost;
  std::vector<engine::Row> rows = {std::move(row)};
  co_await engine.out(std::move(rows), cost);
}

Task<void> ask_gradient(engine::Engine& engine, engine::Row row) {
  engine::Cost cost;
  const Tensor wrt = row.conditioning.tokens.defined() ? row.conditioning.tokens : row.x;
  std::vector<engine::Row> rows = {std::move(row)};
  const engine::Cotangent cotangent = [](const std::vector<Tensor>& out) { return out; };
  co_await engine.out_vjp(std::move(rows), wrt, cotangent, cost);
}

Task<void> ask_image(session::Session& session, Tensor x, Tensor pixels) {
  std::vector<Tensor> latents = {x};
  const std::vector<Tensor> image = co_await session.decode()(std::move(latents));
  session::Pair pair{.reference = pixels, .test = image[0], .x0 = x, .x = x, .caption = ""};
  Task<session::Scores> scoring = session.scorer().score(std::move(pair));
  co_await scoring;
}

// Seconds per task of `count` tasks that run together, after as many warm-up tasks.
double seconds_of(session::Session& session, int count, const std::function<Task<void>()>& make) {
  const auto run = [&] {
    int left = count;
    const Stopwatch stopwatch;
    session.engine().run([&]() -> std::optional<Task<void>> {
      if (left-- == 0) return std::nullopt;
      return make();
    });
    session.device().synchronise();
    return stopwatch.seconds();
  };
  run();
  return run() / count;
}

plan::Estimate::Speed speed_of(session::Session& session, const plan::PlanSession& entry) {
  const int64_t factor = session.model().pixels_per_latent;
  const double time = entry.options.middle_time();
  const Tensor x =
      at::randn({session.model().latent_channels, entry.options.height / factor, entry.options.width / factor},
                session.device().states());
  const Tensor pixels = at::zeros({3, entry.options.height, entry.options.width}, x.options());
  const diffusion::Conditioning conditioning = session.null_row();
  plan::Estimate::Speed speed{.max_batch = session.max_batch()};
  speed.eps_seconds = seconds_of(session, speed.max_batch,
                                 [&] { return ask_out(session.engine(), engine::Row(x, time, conditioning)); });
  if (entry.made.most.backward > 0) {
    speed.gradient_seconds = seconds_of(session, speed.max_batch, [&] {
      engine::Row row(x.clone(), time, conditioning);
      if (row.conditioning.tokens.defined()) row.conditioning.tokens = row.conditioning.tokens.clone();
      return ask_gradient(session.engine(), std::move(row));
    });
  }
  speed.image_seconds = seconds_of(session, speed.max_batch, [&] { return ask_image(session, x, pixels); });
  return speed;
}

int64_t disk_bytes_of(const plan::Plan& plan) {
  const auto columns = static_cast<int64_t>(table_layout(plan).columns.size());
  int64_t bytes = plan.saved_bytes + plan.records * columns * kBytesPerValue;
  for (const plan::PlanSession& session : plan.sessions) {
    for (const plan::PlanDataset& dataset : session.datasets) {
      for (const size_t k : dataset.trials) {
        bytes += dataset.records(plan.trials[k]) * (plan.trials[k].steps + 1) * kBytesPerStep;
      }
    }
  }
  return bytes;
}

}  // namespace

plan::Estimate estimate_plan(const plan::Plan& plan) {
  plan::Estimate estimate;
  for (const plan::PlanSession& entry : plan.sessions) {
    const session::PeakMemory memory(session::Device(entry.options.engine.device).torch());
    session::Session session(entry.options);
    const plan::Estimate::Speed speed = speed_of(session, entry);
    int64_t records = 0;
    for (const plan::PlanDataset& dataset : entry.datasets) {
      for (const size_t k : dataset.trials) records += dataset.records(plan.trials[k]);
    }
    const auto forward = static_cast<double>(entry.made.most.forward - entry.made.most.backward);
    estimate.seconds += forward * speed.eps_seconds +
                        static_cast<double>(entry.made.most.backward) * speed.gradient_seconds +
                        static_cast<double>(records) * speed.image_seconds;
    estimate.sessions.push_back(speed);
    estimate.memory_bytes = std::max(estimate.memory_bytes, memory.bytes());
  }
  estimate.disk_bytes = disk_bytes_of(plan);
  return estimate;
}

}  // namespace roundtrip::run
