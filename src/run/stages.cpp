#include "run/stages.h"

#include <fmt/format.h>

#include "base/error.h"
#include "session/edit_scores.h"

namespace roundtrip::run {
namespace {

inversion::Problem::Parts problem(const StageContext& context, const plan::Trial& trial, const std::string& sample_id,
                                  const Prepared& prepared, engine::Cost& cost) {
  return {.grid = *trial.grid,
          .network = inversion::Network(context.session.engine(), cost),
          .source = prepared.source,
          .null = prepared.null,
          .settings = trial.settings,
          .noise = inversion::counter_noise(trial.seed, sample_id)};
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
session::EditTarget read_target(const StageContext& context, size_t sample, size_t edit, const Tensor& image,
                                std::vector<std::string>& notes) {
  const std::string prompt = context.dataset.edits(sample).at(edit).target_prompt;
  const data::EditTruth truth = context.dataset.read_edit(sample, edit);
  notes = truth.notes;
  const int dropped = context.session.embedding(prompt).dropped_tokens;
  if (dropped > 0) notes.push_back(fmt::format("target prompt cut by {} tokens to the model's length", dropped));
  return session::edit_target(prompt, truth, image);
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
  prepared.prompt = read.prompt;
  prepared.notes = read.notes;
  prepared.pixels = session.pixels(read.pixels);

  const session::Session::Embedding& source = session.embedding(read.prompt);
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
  session::Pair pair{.reference = prepared.pixels,
                     .test = decoded[0],
                     .x0 = prepared.x0,
                     .x = prepared.x0,
                     .caption = prepared.prompt};
  Task<session::Scores> scoring = session.scorer().score(std::move(pair));
  prepared.floor = co_await scoring;
  co_return prepared;
}

Task<Inverted> invert(StageContext context, const plan::Trial& trial, std::string sample_id,
                      std::shared_ptr<const Prepared> prepared) {
  Inverted inverted;
  const inversion::Problem run(problem(context, trial, sample_id, *prepared, inverted.cost));
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

Task<Fitted> fit(StageContext context, const plan::Trial& trial, std::string sample_id,
                 std::shared_ptr<const Prepared> prepared, std::shared_ptr<const Inverted> inverted) {
  Fitted fitted;
  const inversion::Problem run(problem(context, trial, sample_id, *prepared, fitted.cost));
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
  const inversion::Problem run(problem(context, trial, context.dataset.ids()[number], *prepared, walked.cost));
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
                     std::shared_ptr<const Walked> walked) {
  session::Session& session = context.session;
  Sampled result;
  session::EditTarget target;
  if (trial.edits) target = read_target(context, number, edit, prepared->pixels, result.notes);
  const std::string& prompt = trial.edits ? target.prompt : prepared->prompt;
  const inversion::Guidance guidance{trial.edits ? session.embedding(prompt).conditioning : prepared->source,
                                     trial.edits};
  const std::string& sample_id = context.dataset.ids()[number];
  const inversion::Problem run(problem(context, trial, sample_id, *prepared, result.cost));
  editing::Brief brief = brief_of(context, trial, number, edit, *prepared);
  brief.mask = target.mask;
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
  session::Pair pair{.reference = prepared->pixels,
                     .test = decoded[0],
                     .x0 = prepared->x0,
                     .x = x,
                     .caption = prompt,
                     .mask = target.mask,
                     .target = target.pixels};
  Task<session::Scores> scoring = session.scorer().score(std::move(pair));
  result.scores = co_await scoring;
  if (trial.edits) {
    Task<session::Scores> editing =
        session::edit_scores(session.scorer(), prepared->pixels, decoded[0], target, prepared->x0, x);
    result.scores.merge(co_await editing);
  }
  if (context.keep_path) result.path = std::move(path);
  if (context.keep_image) result.image = decoded[0];
  co_return result;
}

}  // namespace roundtrip::run
