// An editor: the way back of an edit, when the target prompt alone is not to decide it.
//
// An inversion gives the way back as a Sampler, under the source prompt and under the target prompt; the editor walks
// the target, with rows of the source beside it where a step needs them. The source's own walk is known before: it is a
// stage of its own, which edits of one image share. Methods and editors multiply: every editor drives every method that
// has a sampler. An editor is new files only: src/editing/editors/x.cpp, configs/editor/x.yaml and a test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/registry.h"
#include "config/params.h"
#include "editing/brief.h"
#include "inversion/method.h"

namespace roundtrip::editing {

using at::Tensor;
using engine::Task;
using inversion::Guidance;
using inversion::Inversion;
using inversion::Method;
using inversion::Problem;
using inversion::Sampler;
using inversion::SourceWalk;
using inversion::Trajectory;

struct EditorInfo {
  static constexpr PluginKind kKind{.noun = "editor", .key = "editor.name"};
  std::string name;
  std::string summary;  // one line for `roundtrip list editors`
  std::string source;   // the paper; empty where there is none
};

// The branch of the source prompt.
struct Source {
  const Sampler& sampler;
  const Trajectory& pivots;  // x[0..S] of the inversion
  const SourceWalk& walk;    // empty unless the editor reads it

  // The latent of its walk back that the step from grid index i was asked at; at the clean end, its last one.
  const Tensor& x(int i) const {
    const auto steps = static_cast<int>(walk.asked.size());
    return 0 < i && i <= steps ? walk.asked[steps - i] : walk.path[walk.path.size() - 1 - i];
  }
};

struct Edit {
  Trajectory path;                     // x[S..0]
  std::map<std::string, Tensor> kept;  // masks and maps [.., h, w], saved under these names
};

// The network that an edit will run on, as far as its plan knows it.
struct NetworkFacts {
  std::vector<diffusion::Site> sites = {};  // of its attention, for the latents' size
  std::vector<std::string> resnets = {};    // names of its residual blocks
  int64_t h = 0, w = 0;                     // of the latents
  double guidance_scale = 1;
  bool edits_name_words = false;  // whose regions bound them, in the dataset
};

// Throws kType for a network without attention to text, or w = 0, which asks for no row of the target prompt.
void require_attention(const NetworkFacts& network, const std::string& editor);

class Editor {
 public:
  using Plugins = Registry<Editor, EditorInfo, const config::Params&>;
  virtual ~Editor() = default;

  // False where the edit is the method's own way back under the target prompt, sampler or not.
  virtual bool steers() const { return true; }
  // Returns true if the editor reads the source's walk.
  virtual bool reads_walk() const { return true; }
  // Returns the attention to watch in the conditional row (row 0) of that walk. If the method knows the walk already,
  // no network runs and nothing is watched.
  virtual diffusion::AttentionPlan watches(const Brief& /*brief*/) const { return {}; }
  // Names what it watches there: walks of one sample with equal names are one walk. `words` names the source's blend
  // words of the edit; empty where its dataset gives none.
  virtual std::string walk_key(const std::string& /*words*/) const { return "unwatched"; }
  // Prompts beside the source's and the target's: Brief::embeddings has them.
  virtual std::vector<std::string> prompts() const { return {}; }

  // Throws kType for a network that the edit cannot run on.
  virtual void require(const NetworkFacts& /*network*/) const {}

  virtual Task<Edit> edit(const Source& source, const Sampler& target, const Brief& brief) const = 0;

  // Returns the number of rows that the published code evaluates for an edit of S steps, or 0 if no code was published.
  virtual int64_t released_nfe(int /*S*/) const { return 0; }
};

template <typename Class>
using RegisteredEditor = Registered<Editor, Class>;

std::vector<EditorInfo> editors();  // sorted by name

// Reads the editor's parameters; errors as for methods.
std::unique_ptr<Editor> make_editor(const std::string& name, const config::Params& params);

// The source's walk, as the method has it or sampled. Only for editors that read it, of methods that have a sampler.
Task<SourceWalk> walk_source(const Method& method, const Editor& editor, const Problem& run, const Inversion& inversion,
                             const Brief& brief);

// The way back of a record: the method's own to reconstruct, the editor's to edit. Throws kType where the editor needs
// a sampler and the method has none.
Task<Edit> way_back(const Method& method, const Editor& editor, const Problem& run, const Inversion& inversion,
                    const SourceWalk& walk, const Guidance& guidance, const Brief& brief);

}  // namespace roundtrip::editing
