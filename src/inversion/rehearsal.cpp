#include "inversion/rehearsal.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <ATen/core/grad_mode.h>

namespace roundtrip::inversion {
namespace {

const at::TensorOptions kDouble = at::TensorOptions(at::kDouble);

// Predicts 0 everywhere, or values such that no two that a method compares agree: the sign alternates from call to
// call, and calls with a gradient (which is 0) have another magnitude.
class Oracle : public diffusion::Denoiser {
 public:
  Oracle(bool vanishes, diffusion::Out out) : vanishes_(vanishes), out_(out) {}

  Tensor out(const diffusion::Batch& batch) override {
    constexpr double kLarge = 1e3, kDifferentiated = 371.7;
    const bool differentiated = at::GradMode::is_enabled();
    if (!differentiated) sign_ = -sign_;
    const Tensor value = at::full(batch.x.sizes(),
                                  vanishes_        ? 0
                                  : differentiated ? kDifferentiated
                                                   : sign_ * kLarge,
                                  kDouble);
    if (!differentiated) {
      for (const diffusion::LinkedRows& rows : batch.linked) look(rows, at::zeros({}, kDouble));
      return value;
    }
    Tensor zero = batch.x.nan_to_num(0, 0, 0).sum() * 0;
    if (batch.conditioning.tokens.defined()) zero = zero + batch.conditioning.tokens.nan_to_num(0, 0, 0).sum() * 0;
    for (const diffusion::LinkedRows& rows : batch.linked) look(rows, zero);
    return value + zero;
  }
  diffusion::Out predicts() const override { return out_; }
  bool takes_plans() const override { return true; }

 private:
  // `loss` is differentiable where the batch is.
  static void look(const diffusion::LinkedRows& rows, const Tensor& loss) {
    rows.seen->watched.assign(rows.plan->watches.size(), at::ones({1, 1}, kDouble));
    if (!rows.plan->compares.empty()) rows.seen->loss = loss;
  }

  bool vanishes_;
  diffusion::Out out_;
  double sign_ = 1;
};

Dependencies everything(const Settings& settings) {
  Dependencies all{.keys = {kEpsAtKey, kInvertWKey, kSeedKey, kTargetKey}};
  for (const auto& [key, value] : settings.numbers) all.keys.insert(key);
  return all;
}

// The walk that the inversion is, untouched and with nothing beside it.
std::string common_walk(const Dependencies& noted, const Inversion& inversion) {
  if (noted.walks.size() != 1 || !inversion.state.empty() || !inversion.losses.empty() || !inversion.notes.empty() ||
      !inversion.reconstruction.empty()) {
    return {};
  }
  const auto& [name, walk] = noted.walks.front();
  const bool same =
      std::ranges::equal(walk, inversion.pivots, [](const Tensor& a, const Tensor& b) { return a.is_same(b); });
  return same ? name : std::string();
}

Task<void> guarded(Task<void> stages, std::exception_ptr& error) {
  try {
    co_await stages;
  } catch (...) {
    error = std::current_exception();
  }
}

class Stage {
 public:
  engine::Cost cost;
  Dependencies noted;

  StageRehearsal rehearsal(bool vanishes) const {
    StageRehearsal seen;
    seen.reads = noted;
    (vanishes ? seen.nfe.least : seen.nfe.most) = {cost.rows, cost.grad_rows};
    return seen;
  }
};

// One pass over the stages under one of the oracles.
class Pass {
 public:
  Pass(const Method& method, const WayBack& way_back, const diffusion::StepGrid& grid, const Settings& settings,
       bool is_edit, PromptKinds prompts, bool vanishes)
      : method_(method),
        way_back_(way_back),
        grid_(grid),
        settings_(settings),
        vanishes_(vanishes),
        oracle_(vanishes, grid.out()),
        engine_(oracle_, {.batch = {.max_batch = 1}, .max_live = 1}) {
    const auto embedding = [] { return Conditioning{.tokens = at::full({1, 2}, 0.5, kDouble)}; };
    null_ = embedding();
    source_ = prompts.null_source ? null_ : embedding();
    guidance_ = {.conditioning = !is_edit ? source_ : prompts.null_sampled ? null_ : embedding(), .is_edit = is_edit};
  }

  Rehearsal run() {
    std::exception_ptr error;
    bool given = false;
    engine_.run([&]() -> std::optional<Task<void>> {
      if (std::exchange(given, true)) return std::nullopt;
      return guarded(stages(), error);
    });
    Rehearsal seen{.invert = invert_.rehearsal(vanishes_),
                   .fit = fit_.rehearsal(vanishes_),
                   .walk = source_walk_.rehearsal(vanishes_),
                   .sample = back_.rehearsal(vanishes_),
                   .has_sampler = has_sampler_};
    seen.invert.walk = walk_;
    if (!error) return seen;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& refusal) {
      seen.refused = refusal.what();
    }
    return seen;
  }

 private:
  Problem::Parts parts(Stage& stage) {
    const double n = vanishes_ ? 0 : 1;
    return {.grid = grid_,
            .network = Network(engine_, stage.cost),
            .source = source_,
            .null = null_,
            .settings = settings_,
            .noise = [n](NoisePurpose, int, const Tensor& like) { return at::full(like.sizes(), n, like.options()); },
            .target = guidance_.is_edit ? std::optional(guidance_.conditioning) : std::nullopt,
            .noted = &stage.noted};
  }

  Task<void> stages() {
    const Tensor x0 = at::full({1, 1, 1}, vanishes_ ? 0.0 : 1.0, kDouble);
    const Problem inverting(parts(invert_)), fitting(parts(fit_)), walking(parts(source_walk_)), sampling(parts(back_));
    Task<Inversion> inversion = method_.invert(inverting, x0);
    const Inversion inverted = co_await inversion;
    walk_ = common_walk(invert_.noted, inverted);
    Task<Inversion> fit = method_.fit(fitting, inverted);
    const Inversion fitted = co_await fit;
    has_sampler_ = method_.sampler(sampling, fitted, guidance_) != nullptr;
    SourceWalk source;
    if (way_back_.walk) {
      Task<SourceWalk> walk = way_back_.walk(walking, fitted);
      source = co_await walk;
    }
    Task<Trajectory> way_back = way_back_.sample(sampling, fitted, source, guidance_);
    co_await way_back;
  }

  const Method& method_;
  const WayBack& way_back_;
  const diffusion::StepGrid& grid_;
  Settings settings_;
  bool vanishes_;
  Oracle oracle_;
  engine::Engine engine_;
  Conditioning source_, null_;
  Guidance guidance_;
  Stage invert_, fit_, source_walk_, back_;
  std::string walk_;
  bool has_sampler_ = false;
};

StageRehearsal joined(const StageRehearsal& least, const StageRehearsal& most) {
  StageRehearsal both{.reads = least.reads, .walk = most.walk, .nfe = {least.nfe.least, most.nfe.most}};
  both.reads.keys.insert(most.reads.keys.begin(), most.reads.keys.end());
  both.reads.walks.clear();
  return both;
}

}  // namespace

Task<Trajectory> own_way_back(const Method& method, const Problem& run, const Inversion& inversion,
                              const Guidance& guidance) {
  Task<Trajectory> sampling = method.sample(run, inversion, guidance);
  co_return co_await sampling;
}

Rehearsal rehearse(const Method& method, const WayBack& way_back, const diffusion::StepGrid& grid,
                   const Settings& settings, bool is_edit, PromptKinds prompts) {
  const Rehearsal least = Pass(method, way_back, grid, settings, is_edit, prompts, /*vanishes=*/true).run();
  const Rehearsal most = Pass(method, way_back, grid, settings, is_edit, prompts, /*vanishes=*/false).run();
  Rehearsal both{.invert = joined(least.invert, most.invert),
                 .fit = joined(least.fit, most.fit),
                 .walk = joined(least.walk, most.walk),
                 .sample = joined(least.sample, most.sample),
                 .has_sampler = most.has_sampler,
                 .refused = most.refused};
  if (least.invert.walk != most.invert.walk) both.invert.walk.clear();
  if (!both.refused.empty()) {
    for (StageRehearsal* stage : {&both.invert, &both.fit, &both.walk, &both.sample})
      stage->reads = everything(settings);
    both.invert.walk.clear();
  }
  return both;
}

}  // namespace roundtrip::inversion
