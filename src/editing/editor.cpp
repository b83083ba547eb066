#include "editing/editor.h"

#include "editing/linked_step.h"

namespace roundtrip::editing {
namespace {

Error no_sampler() {
  return Error(
      ErrorKind::kType,
      "editor: the method's way back is not one latent that asks once a step, so no editor can drive it; expected "
      "editor=none, or a method with a one-latent way back");
}

}  // namespace

std::vector<EditorInfo> editors() { return Editor::Plugins::infos(); }

std::unique_ptr<Editor> make_editor(const std::string& name, const config::Params& params) {
  std::unique_ptr<Editor> editor = Editor::Plugins::make(name, params);
  params.get_string("name");
  if (const auto unread = params.unread(); !unread.empty()) {
    throw Error(ErrorKind::kType, fmt::format("editor.{}: '{}' has no such parameter", unread.front(), name));
  }
  return editor;
}

void require_attention(const NetworkFacts& network, const std::string& editor) {
  if (network.sites.empty()) {
    throw Error(ErrorKind::kType, fmt::format("editor.name: found {}; the model's network has no attention layers that "
                                              "it could control; expected none, or another model",
                                              editor));
  }
  if (network.guidance_scale == 0) throw no_row_to_control(editor);
}

Task<SourceWalk> walk_source(const Method& method, const Editor& editor, const Problem& run, const Inversion& inversion,
                             const Brief& brief) {
  SourceWalk known{.path = method.known_reconstruction(run, inversion)};
  if (!known.path.empty()) co_return known;
  const Guidance reconstructing{run.source};
  const std::unique_ptr<Sampler> source = method.sampler(run, inversion, reconstructing);
  if (!source) throw no_sampler();
  auto plan = std::make_shared<const diffusion::AttentionPlan>(editor.watches(brief));
  Task<SourceWalk> walking = inversion::walk_watched(*source, plan);
  co_return co_await walking;
}

Task<Edit> way_back(const Method& method, const Editor& editor, const Problem& run, const Inversion& inversion,
                    const SourceWalk& walk, const Guidance& guidance, const Brief& brief) {
  if (!guidance.is_edit || !editor.steers()) {
    Edit own;
    Task<Trajectory> sampling = method.sample(run, inversion, guidance);
    own.path = co_await sampling;
    co_return own;
  }
  const Guidance reconstructing{run.source};
  const std::unique_ptr<Sampler> source = method.sampler(run, inversion, reconstructing);
  const std::unique_ptr<Sampler> target = method.sampler(run, inversion, guidance);
  if (!source || !target) throw no_sampler();
  const Source branch{*source, inversion.pivots, walk};
  Task<Edit> editing = editor.edit(branch, *target, brief);
  co_return co_await editing;
}

}  // namespace roundtrip::editing
