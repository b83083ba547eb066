#include "inversion/method.h"

#include <algorithm>

#include "base/text.h"

namespace roundtrip::inversion {

Task<Inversion> Method::fit(const Problem&, Inversion inversion) const { co_return inversion; }

std::unique_ptr<Sampler> Method::sampler(const Problem&, const Inversion&, const Guidance&) const { return {}; }

Task<Trajectory> Method::sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const {
  if (!guidance.is_edit) {
    Trajectory known = known_reconstruction(run, inversion);
    if (!known.empty()) co_return known;
  }
  const std::unique_ptr<Sampler> back = sampler(run, inversion, guidance);
  check(back != nullptr, "a method without a sampler has a way back of its own");
  Task<Trajectory> walking = walk(*back);
  co_return co_await walking;
}

std::vector<MethodInfo> methods() { return Method::Plugins::infos(); }

std::unique_ptr<Method> make_method(const std::string& name, const config::Params& params) {
  std::unique_ptr<Method> method = Method::Plugins::make(name, params);
  params.get_string("name");
  if (const auto unread = params.unread(); !unread.empty()) {
    throw Error(ErrorKind::kType, fmt::format("method.{}: '{}' has no such parameter", unread.front(), name));
  }
  return method;
}

void check_grid(const std::string& method, const diffusion::StepGrid& grid, const Settings& settings) {
  using diffusion::Out;
  const auto family = [](Out out) { return out == Out::kVelocity ? "flow models (v)" : "diffusion models (eps)"; };
  std::vector<std::string> defined;
  for (const MethodInfo& info : methods()) {
    if (!info.only_for || *info.only_for == grid.out()) defined.push_back(info.name);
  }
  if (std::ranges::find(defined, method) == defined.end()) {
    const Out other = grid.out() == Out::kEps ? Out::kVelocity : Out::kEps;
    throw Error(ErrorKind::kType,
                fmt::format("method.name: found {}, which is defined for {} only; the model predicts {}; expected one "
                            "of {}",
                            method, family(other), diffusion::out_name(grid.out()), join(defined, ", ")));
  }
  const double eta = settings.numbers.at(kEtaKey);
  if (grid.out() == Out::kVelocity && eta != 0) {
    throw Error(ErrorKind::kType,
                fmt::format("eta: found {:g}; the sampler of a flow model adds no noise; expected 0", eta));
  }
}

double mean_square(const Tensor& x) { return x.square().mean().item<double>(); }

void note_if_unstable(Inversion& inversion) {
  constexpr double kUnstable = 10;
  if (mean_square(inversion.pivots.back()) <= kUnstable) return;
  inversion.notes.push_back(fmt::format(
      "unstable: the inverted latent's mean square is above {:g}, ten times that of noise and more", kUnstable));
}

}  // namespace roundtrip::inversion
