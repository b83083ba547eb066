// No editor: the target prompt alone decides the edit.
#include "editing/editor.h"

namespace roundtrip::editing {
namespace {

class None : public Editor {
 public:
  bool steers() const override { return false; }
  Task<Trajectory> edit(const Sampler&, const Sampler& target) const override { return inversion::walk(target); }
};

const RegisteredEditor<None> none({.name = "none", .summary = "sample under the target prompt", .source = {}});

}  // namespace
}  // namespace roundtrip::editing
