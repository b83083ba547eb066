// An editor: the way back of an edit, when the target prompt alone is not to decide it.
//
// An inversion gives the way back as a Sampler, under the source prompt and under the target prompt; the editor walks
// the two together. Methods and editors multiply: every editor drives every method that has a sampler. An editor is new
// files only: src/editing/editors/x.cpp, configs/editor/x.yaml and a test.
#pragma once

#include <memory>
#include <string>

#include "base/registry.h"
#include "config/params.h"
#include "inversion/method.h"

namespace roundtrip::editing {

using engine::Task;
using inversion::Guidance;
using inversion::Inversion;
using inversion::Method;
using inversion::Problem;
using inversion::Sampler;
using inversion::Trajectory;

struct EditorInfo {
  static constexpr PluginKind kKind{.noun = "editor", .key = "editor.name"};
  std::string name;
  std::string summary;  // one line for `roundtrip list editors`
  std::string source;   // the paper; empty where there is none
};

class Editor {
 public:
  using Plugins = Registry<Editor, EditorInfo, const config::Params&>;
  virtual ~Editor() = default;

  // False where the edit is the method's own way back under the target prompt, sampler or not.
  virtual bool steers() const { return true; }

  // The edited walk, x[S..0].
  virtual Task<Trajectory> edit(const Sampler& source, const Sampler& target) const = 0;
};

template <typename Class>
using RegisteredEditor = Registered<Editor, Class>;

std::vector<EditorInfo> editors();  // sorted by name

// Reads the editor's parameters; errors as for methods.
std::unique_ptr<Editor> make_editor(const std::string& name, const config::Params& params);

// The way back of a record: the method's own to reconstruct, the editor's to edit. Throws kType where the editor needs
// a sampler and the method has none.
Task<Trajectory> way_back(const Method& method, const Editor& editor, const Problem& run, const Inversion& inversion,
                          const Guidance& guidance);

}  // namespace roundtrip::editing
