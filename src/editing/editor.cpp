#include "editing/editor.h"

namespace roundtrip::editing {

std::vector<EditorInfo> editors() { return Editor::Plugins::infos(); }

std::unique_ptr<Editor> make_editor(const std::string& name, const config::Params& params) {
  std::unique_ptr<Editor> editor = Editor::Plugins::make(name, params);
  params.get_string("name");
  if (const auto unread = params.unread(); !unread.empty()) {
    throw Error(ErrorKind::kType, fmt::format("editor.{}: '{}' has no such parameter", unread.front(), name));
  }
  return editor;
}

Task<Trajectory> way_back(const Method& method, const Editor& editor, const Problem& run, const Inversion& inversion,
                          const Guidance& guidance) {
  if (!guidance.is_edit || !editor.steers()) {
    Task<Trajectory> sampling = method.sample(run, inversion, guidance);
    co_return co_await sampling;
  }
  const Guidance reconstructing{run.source};
  const std::unique_ptr<Sampler> source = method.sampler(run, inversion, reconstructing);
  const std::unique_ptr<Sampler> target = method.sampler(run, inversion, guidance);
  if (!source || !target) {
    throw Error(ErrorKind::kType,
                "editor: the method's way back moves more than one latent, so no editor can drive it; expected "
                "editor=none, or a method with a one-latent way back");
  }
  Task<Trajectory> editing = editor.edit(*source, *target);
  co_return co_await editing;
}

}  // namespace roundtrip::editing
