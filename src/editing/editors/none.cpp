// No editor: the target prompt alone decides the edit.
#include "editing/editor.h"

namespace roundtrip::editing {
namespace {

class None : public Editor {
 public:
  bool steers() const override { return false; }
  bool reads_walk() const override { return false; }
  Task<Edit> edit(const Source&, const Sampler& target, const Brief&) const override {
    Edit edited;
    Task<Trajectory> walking = inversion::walk(target);
    edited.path = co_await walking;
    co_return edited;
  }
};

const RegisteredEditor<None> none({.name = "none", .summary = "sample under the target prompt", .source = {}});

}  // namespace
}  // namespace roundtrip::editing
