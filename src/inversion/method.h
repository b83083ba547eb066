// An inversion method: an image's latent to noise, and back.
//
// A method is three new files and no edit: src/inversion/methods/x.cpp, configs/method/x.yaml and
// tests/inversion/x_test.cpp. It registers itself; the contract suite finds it in the registry.
//
// The stages are invert, fit and sample. Trials that agree in what a stage reads share its work, so fitting in a stage
// of its own lets pivots be shared by trials that differ in w or in the fit. Neither what a stage reads nor what it
// costs is declared: both are derived by running it (rehearsal.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/registry.h"
#include "config/params.h"
#include "inversion/sampler.h"

namespace roundtrip::inversion {

// The result of an inversion: everything that the way back needs.
struct Inversion {
  Trajectory pivots;                               // x[0..S], clean to noise
  std::map<std::string, Tensor> state = {};        // fitted or kept besides: counted, and saved under its name
  Trajectory reconstruction = {};                  // x[S..0] where fitting has walked it; else empty
  std::map<int, std::vector<double>> losses = {};  // at the step from or to grid index i: of each inner step, in order
  std::vector<std::string> notes = {};             // for readers of the results
};

// The prompt that a way back is guided by: the source prompt's embedding to reconstruct, a target prompt's to edit.
struct Guidance {
  Conditioning conditioning;
  bool is_edit = false;
};

struct MethodInfo {
  static constexpr PluginKind kKind{.noun = "method", .key = "method.name"};
  std::string name;
  std::string summary;        // one line for `roundtrip list methods`
  std::string source;         // the paper
  bool needs_cfg = false;     // reads the unconditional row for itself: refused where guidance is distilled
  bool tunes_tokens = false;  // of an embedding: refused where the conditioning has none
  bool converges = true;  // whether the round trip improves with the steps, whatever eps is; the contract asks it then
  std::optional<diffusion::Out> only_for = {};  // models that predict this; none: it only asks and steps, so any model
};

class Method {
 public:
  using Plugins = Registry<Method, MethodInfo, const config::Params&>;
  virtual ~Method() = default;

  // Throws kType for steps that the method's own parameters do not agree with, before anything runs.
  virtual void require(const diffusion::StepGrid& /*grid*/) const {}

  // x0 [C, H, W] -> pivots and whatever the way back needs.
  virtual Task<Inversion> invert(const Problem& run, Tensor x0) const = 0;

  // Fits what sampling needs to the pivots, at w. Most methods have nothing to fit.
  virtual Task<Inversion> fit(const Problem& run, Inversion inversion) const;

  // The way back as steps. Null where it moves more than one latent or asks elsewhere than at the latent that it steps
  // from; such a method overrides `sample`, and editors cannot drive it.
  virtual std::unique_ptr<Sampler> sampler(const Problem& run, const Inversion& inversion,
                                           const Guidance& guidance) const;

  // x[S..0] under the source prompt where the method has walked it before sampling; else empty.
  virtual Trajectory known_reconstruction(const Problem& /*run*/, const Inversion& /*inversion*/) const { return {}; }

  // The whole way back, noise to clean.
  virtual Task<Trajectory> sample(const Problem& run, const Inversion& inversion, const Guidance& guidance) const;

  // The guidance scale of the inversion where the config leaves it null, for sampling at w.
  virtual double default_invert_w(double /*w*/) const { return 1; }
};

template <typename Class>
using RegisteredMethod = Registered<Method, Class>;

std::vector<MethodInfo> methods();  // sorted by name

// Reads the method's parameters; throws kType or kMissing for one that is wrong, unknown or missing, kMissing with the
// nearest name for an unknown method.
std::unique_ptr<Method> make_method(const std::string& name, const config::Params& params);

// Throws kType, naming the methods that are defined there, where the method is for models of another prediction; and
// for an eta other than 0 on a flow model, whose sampler adds no noise that it could scale.
void check_grid(const std::string& method, const diffusion::StepGrid& grid, const Settings& settings);

// Mean square of a residual or a latent.
double mean_square(const Tensor& x);

// Adds a note where the latent's mean square says that the inversion amplifies: white noise has 1.
void note_if_unstable(Inversion& inversion);

}  // namespace roundtrip::inversion
