#include "run/stages.h"

#include <fmt/format.h>

#include "base/error.h"

namespace roundtrip::run {
namespace {

inversion::Problem::Parts problem(const StageContext& context, const plan::Trial& trial, size_t number, size_t edit,
                                  const Prepared& prepared, engine::Cost& cost) {
  std::optional<diffusion::Conditioning> target;
  if (trial.edits) {
    target = context.session.embedding(context.dataset.edits(number).at(edit).target_prompt).conditioning;
  }
  return {.grid = *trial.grid,
          .network = inversion::Network(context.session.engine(), cost),
          .source = prepared.source,
          .null = prepared.null,
          .settings = trial.settings,
          .noise = inversion::counter_noise(trial.seed, context.dataset.ids()[number]),
          .target = std::move(target)};
}

// Root mean square of x_i - pivot_i for every grid index i.
std::vector<double> pivot_distances(const inversion::Trajectory& path, const inversion::Trajectory& pivots) {
  const Tensor walked = at::stack(path).flip(0);  // noise to clean -> clean to noise
  const Tensor distance = (walked - at::stack(pivots)).flatten(1).square().mean(1).sqrt().to(at::kCPU, at::kDouble);
  const double* first = distance.const_data_ptr<double>();
  return {first, first + distance.numel()};
}

int64_t bytes_of(const Tensor& tensor) { return tensor.defined() ? tensor.numel() * tensor.element_size() : 0; }

// Answer to an edit, as tensors on the device of the images.
session::EditTarget read_target(const StageContext& context, const data::Dataset& dataset, size_t sample, size_t edit,
                                data::ImageSize stored, Reference& reference) {
  const std::string prompt = dataset.edits(sample).at(edit).target_prompt;
  const data::EditTruth truth = dataset.read_edit(sample, edit, stored);
  reference.notes = truth.notes;
  const int dropped = context.session.embedding(prompt).dropped_tokens;
  if (dropped > 0) {
    reference.notes.push_back(fmt::format("target prompt cut by {} tokens to the model's length", dropped));
  }
  session::EditTarget target = session::edit_target(prompt, truth, reference.source);
  target.source_prompt = dataset.prompt(sample);
  return target;
}

// What the trial's editor is told of an edit.
editing::Brief brief_of(const StageContext& context, const plan::Trial& trial, size_t sample, size_t edit,
                        const Prepared& prepared) {
  if (!trial.edits || !trial.editor->steers()) return {};
  session::Session& session = context.session;
  const data::EditName name = context.dataset.edits(sample).at(edit);
  editing::Brief brief;
  brief.source = session.prompt_tokens(prepared.prompt);
  brief.target = session.prompt_tokens(name.target_prompt);
  brief.words = {name.words.blend_source, name.words.blend_target, name.words.equalizer};
  brief.h = prepared.x0.size(1);
  brief.w = prepared.x0.size(2);
  for (const std::string& prompt : trial.editor->prompts()) {
    brief.embeddings[prompt] = session.embedding(prompt).conditioning;
  }
  return brief;
}

// Adds the stage to an error; the network's message names the timestep.
[[noreturn]] void rethrow_in(const char* stage) {
  try {
    throw;
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", stage, error.message()), error.details());
  }
}

}  // namespace

Task<Prepared> prepare(StageContext context, const plan::Trial& trial, size_t sample) {
  session::Session& session = context.session;
  Prepared prepared;
  const data::Sample read = context.dataset.read(sample);
  prepared.prompt = trial.source_prompt.value_or(read.prompt);
  prepared.notes = read.notes;
  prepared.stored = read.stored;
  prepared.pixels = session.pixels(read.pixels);

  const session::Session::Embedding& source = session.embedding(prepared.prompt);
  const session::Session::Embedding& null = session.embedding(trial.null_prompt);
  prepared.source = source.conditioning;
  prepared.null = null.conditioning;
  if (source.dropped_tokens > 0) {
    prepared.notes.push_back(fmt::format("prompt cut by {} tokens to the model's length", source.dropped_tokens));
  }

  std::vector<Tensor> encoder_inputs = {prepared.pixels};
  engine::Awaiter<engine::FunctionRequest> encoding = session.encode()(std::move(encoder_inputs));
  const std::vector<Tensor> posterior = co_await encoding;
  prepared.encode_seconds = encoding.request().seconds;
  prepared.x0 = posterior[0];
  if (trial.model.encode_sample && posterior[1].defined()) {
    const inversion::NoiseSource noise = inversion::counter_noise(trial.seed, read.id);
    prepared.x0 = posterior[0] + posterior[1] * noise(NoisePurpose::kEncode, 0, posterior[0]);
  }

  std::vector<Tensor> decoder_inputs = {prepared.x0};
  const std::vector<Tensor> decoded = co_await session.decode()(std::move(decoder_inputs));
  prepared.decoded = decoded[0];
  co_return prepared;
}

Task<Reference> reference(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                          std::shared_ptr<const Prepared> prepared) {
  Reference made;
  made.source = prepared->pixels;
  if (trial.scored_dataset) made.source = context.session.pixels(trial.scored_dataset->read(number).pixels);
  if (trial.edits) {
    const data::Dataset& dataset = trial.scored_dataset ? *trial.scored_dataset : context.dataset;
    made.target = read_target(context, dataset, number, edit, prepared->stored, made);
    made.mask = made.target->mask;
    if (trial.scored_dataset) {
      const data::EditTruth truth = context.dataset.read_edit(number, edit, prepared->stored);
      made.mask = session::edit_target("", truth, prepared->pixels).mask;
    }
  }
  session::Pair pair{.reference = made.source,
                     .test = session::scored_picture(trial.protocol, prepared->decoded),
                     .x0 = prepared->x0,
                     .x = prepared->x0,
                     .caption = context.dataset.prompt(number)};
  Task<session::Scores> scoring =
      session::floor_scores(context.session.scorer(), trial.protocol, std::move(pair), made.target);
  made.floor = co_await scoring;
  co_return made;
}

Task<Inverted> invert(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                      std::shared_ptr<const Prepared> prepared) {
  Inverted inverted;
  const inversion::Problem run(problem(context, trial, number, edit, *prepared, inverted.cost));
  try {
    Task<inversion::Inversion> inverting = trial.method->invert(run, prepared->x0);
    inverted.inversion = co_await inverting;
  } catch (const Error&) {
    rethrow_in("inverting");
  }
  const Tensor& x_S = inverted.inversion.pivots.back();
  if (!at::isfinite(x_S).all().item<bool>()) {
    throw Error(ErrorKind::kNumeric, fmt::format("inverting: the latent at step {} is not finite", trial.steps));
  }
  inverted.noise = session::noise_statistics(x_S);
  co_return inverted;
}

Task<Fitted> fit(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                 std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Inverted> inverted) {
  Fitted fitted;
  const inversion::Problem run(problem(context, trial, number, edit, *prepared, fitted.cost));
  try {
    Task<inversion::Inversion> fitting = trial.method->fit(run, inverted->inversion);
    fitted.inversion = co_await fitting;
  } catch (const Error&) {
    rethrow_in("fitting");
  }
  fitted.state_bytes = bytes_of(fitted.inversion.pivots.back());
  for (const auto& [name, tensor] : fitted.inversion.state) fitted.state_bytes += bytes_of(tensor);
  co_return fitted;
}

Task<Walked> walk_source(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                         std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Fitted> fitted) {
  Walked walked;
  if (!trial.walks_source()) co_return walked;
  const editing::Brief brief = brief_of(context, trial, number, edit, *prepared);
  const inversion::Problem run(problem(context, trial, number, edit, *prepared, walked.cost));
  try {
    Task<inversion::SourceWalk> walking =
        editing::walk_source(*trial.method, *trial.editor, run, fitted->inversion, brief);
    walked.walk = co_await walking;
  } catch (const Error&) {
    rethrow_in("sampling the source");
  }
  co_return walked;
}

Task<Sampled> sample(StageContext context, const plan::Trial& trial, size_t number, size_t edit,
                     std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Fitted> fitted,
                     std::shared_ptr<const Walked> walked, std::shared_ptr<const Reference> reference) {
  session::Session& session = context.session;
  Sampled result;
  const std::string& prompt = trial.edits ? reference->target->prompt : prepared->prompt;
  const inversion::Guidance guidance{trial.edits ? session.embedding(prompt).conditioning : prepared->source,
                                     trial.edits};
  const inversion::Problem run(problem(context, trial, number, edit, *prepared, result.cost));
  editing::Brief brief = brief_of(context, trial, number, edit, *prepared);
  brief.mask = reference->mask;
  inversion::Trajectory path;
  try {
    Task<editing::Edit> sampling =
        editing::way_back(*trial.method, *trial.editor, run, fitted->inversion, walked->walk, guidance, brief);
    editing::Edit edited = co_await sampling;
    path = std::move(edited.path);
    if (context.keep_path || context.keep_image) result.kept = std::move(edited.kept);
  } catch (const Error&) {
    rethrow_in("sampling");
  }
  const Tensor x = path.back();
  if (!at::isfinite(x).all().item<bool>()) {
    throw Error(ErrorKind::kNumeric, "sampling: the latent at step 0 is not finite");
  }
  result.pivot_distance = pivot_distances(path, fitted->inversion.pivots);

  std::vector<Tensor> decoder_inputs = {x};
  engine::Awaiter<engine::FunctionRequest> decoding = session.decode()(std::move(decoder_inputs));
  const std::vector<Tensor> decoded = co_await decoding;
  result.decode_seconds = decoding.request().seconds;
  const Tensor shown = session::scored_picture(trial.protocol, decoded[0]);
  session::Pair pair{.reference = reference->source,
                     .test = shown,
                     .x0 = prepared->x0,
                     .x = x,
                     .caption = context.dataset.prompt(number)};
  Task<session::Scores> scoring =
      session::all_scores(session.scorer(), trial.protocol, std::move(pair), reference->target);
  result.scores = co_await scoring;
  if (context.keep_path) result.path = std::move(path);
  if (context.keep_image) result.image = shown;
  co_return result;
}

}  // namespace roundtrip::run
