#include "inversion/method.h"

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

double mean_square(const Tensor& x) { return x.square().mean().item<double>(); }

void note_if_unstable(Inversion& inversion) {
  constexpr double kUnstable = 10;
  if (mean_square(inversion.pivots.back()) <= kUnstable) return;
  inversion.notes.push_back(fmt::format(
      "unstable: the inverted latent's mean square is above {:g}, ten times that of noise and more", kUnstable));
}

}  // namespace roundtrip::inversion
