// A dry run of a method's stages: what they read, and the network evaluations that they ask for.
//
// The stages run on a latent of one element against two oracles in the network's place: one under which every residual
// and loss vanishes at once, so that iterations stop as early as they can, and one under which none ever does. The two
// counts bound what a record will ask for, early stops or not; where they agree the count is exact. The settings that
// were read under either oracle are what the stage depends on.
//
// A method may treat w = 0 and w = 1 specially, and the settings' zeros; it must not decide what it reads or asks by
// the values of the network's predictions in any other way than by stopping early.
#pragma once

#include <functional>
#include <string>

#include "inversion/method.h"

namespace roundtrip::inversion {

struct Evaluations {
  int64_t forward = 0, backward = 0;  // rows
  bool operator==(const Evaluations&) const = default;
  Evaluations& operator+=(const Evaluations& more) {
    forward += more.forward;
    backward += more.backward;
    return *this;
  }
};

struct NfeBounds {
  Evaluations least, most;
  bool exact() const { return least == most; }
  NfeBounds& operator+=(const NfeBounds& more) {
    least += more.least;
    most += more.most;
    return *this;
  }
  NfeBounds operator*(int64_t count) const {
    return {{least.forward * count, least.backward * count}, {most.forward * count, most.backward * count}};
  }
};

// What the prompts of a sample decide of its rows. Which of them are the null prompt: guidance then needs one row
// whatever w is.
struct PromptKinds {
  bool null_source = false;
  bool null_sampled = false;  // the prompt sampled under: an edit's target prompt, else the source prompt
  std::string words = {};     // of the source prompt, that bound the edit in its dataset's view; empty: none
  auto operator<=>(const PromptKinds&) const = default;
};

struct StageRehearsal {
  Dependencies reads;
  std::string walk;  // the common walk that the stage is, and nothing beyond it; empty: it is the method's own
  NfeBounds nfe;
};

struct Rehearsal {
  StageRehearsal invert, fit, walk, sample;
  bool reads(const char* key) const {
    return invert.reads.has(key) || fit.reads.has(key) || walk.reads.has(key) || sample.reads.has(key);
  }
  bool has_sampler = false;  // whether editors can drive the way back
  std::string refused = {};  // the method's own message where it refuses the setting; the stages then read everything
};

// The way back that is rehearsed: the method's own, or an editor's, which may read the source's own walk.
struct WayBack {
  std::function<Task<SourceWalk>(const Problem& run, const Inversion& inversion)> walk = {};  // none: not read
  std::function<Task<Trajectory>(const Problem& run, const Inversion& inversion, const SourceWalk& source,
                                 const Guidance& guidance)>
      sample;
};

// The method's own, as `sample` of a WayBack.
Task<Trajectory> own_way_back(const Method& method, const Problem& run, const Inversion& inversion,
                              const Guidance& guidance);

Rehearsal rehearse(const Method& method, const WayBack& way_back, const diffusion::StepGrid& grid,
                   const Settings& settings, bool is_edit, PromptKinds prompts);

}  // namespace roundtrip::inversion
