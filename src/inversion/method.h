// An inversion method: an image's latent to noise, and back.
//
// A method is three new files and no edit: src/inversion/methods/x.cpp, configs/method/x.yaml and
// tests/inversion/x_test.cpp. It registers itself; the contract suite picks it up from the registry.
//
// The stages are invert, fit and sample. Trials that agree in what a stage reads share its work, so a stage of its own
// for what is fitted lets pivots be shared by trials that differ in w or in the fit.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "inversion/problem.h"

namespace roundtrip::inversion {

// What an inversion leaves for the way back.
struct Inversion {
  Trajectory pivots;                               // x[0..S], clean to noise
  std::map<std::string, Tensor> state = {};        // what was fitted or kept besides: counted, and saved under its name
  Trajectory reconstruction = {};                  // x[S..0] where fitting has walked it; else empty
  std::map<int, std::vector<double>> losses = {};  // at the step from or to grid index i: of each inner step, in order
  std::vector<std::string> notes = {};             // what a reader of the results should know
};

// The settings that a stage reads besides the steps, the embeddings and the method's own parameters. Records that agree
// in them share the stage's work, so a setting left out here is wrong results: the contract suite checks it.
struct Reads {
  // A name for work that methods have in common, whatever their parameters: records share it across methods.
  std::string common = {};
  bool eps_at = false, invert_w = false, w = false, eta = false, seed = false;
};

// What a record will ask of the network, known before it runs.
struct Ask {
  int steps = 50;
  double invert_w = 1, w = 1, eta = 0;
  bool null_source = false;   // the image's prompt is the null prompt: guidance needs one row whatever w is
  bool edits = false;         // sampling is under a target prompt
  bool null_sampled = false;  // the prompt sampled under is the null prompt
};

// Network evaluations, in rows. `exact` is false where early stopping decides; the numbers are then upper bounds.
struct Evaluations {
  int64_t forward = 0, backward = 0;
  bool exact = true;
};

class Method {
 public:
  virtual ~Method() = default;

  // x0 [C, H, W] -> pivots and whatever `sample` needs.
  virtual Task<Inversion> invert(const Problem& p, Tensor x0) const = 0;

  // Fits what sampling needs to the pivots, at p.w. Most methods have nothing to fit.
  virtual Task<Inversion> fit(const Problem& p, Inversion inversion) const;

  // From the noise end back to the clean one, under `conditioning`: the source prompt's to reconstruct, the target
  // prompt's to edit.
  virtual Task<Trajectory> sample(const Problem& p, const Inversion& inversion,
                                  const Conditioning& conditioning) const = 0;

  virtual Reads invert_reads() const = 0;
  virtual Reads fit_reads() const { return {}; }     // besides the inversion and the method's parameters
  virtual Reads sample_reads(double eta) const = 0;  // besides these

  virtual Evaluations invert_evaluations(const Ask& ask) const = 0;
  virtual Evaluations fit_evaluations(const Ask&) const { return {}; }
  virtual Evaluations sample_evaluations(const Ask& ask) const = 0;

  // The guidance scale of the inversion where the config leaves it null, for sampling at w; NaN where inverting asks no
  // network.
  virtual double default_invert_w(double /*w*/) const { return 1; }
};

struct MethodInfo {
  std::string name;
  std::string summary;    // one line for `roundtrip list methods`
  std::string source;     // the paper
  bool converges = true;  // the round trip improves with the steps, whatever eps is; else the contract does not ask it
};

using MethodFactory = std::unique_ptr<Method> (*)(const config::Params& params);

// Registers at start-up, from the method's own file.
struct MethodRegistration {
  MethodRegistration(MethodInfo info, MethodFactory factory);
};

std::vector<MethodInfo> methods();  // sorted by name

// Reads the method's parameters; throws kType or kMissing for one that is wrong, unknown or missing, kMissing with the
// nearest name for an unknown method.
std::unique_ptr<Method> make_method(const std::string& name, const config::Params& params);

}  // namespace roundtrip::inversion
