#include "run/record_maker.h"

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/text.h"
#include "columns/columns.h"
#include "columns/scores.h"
#include "plan/record_identity.h"
#include "session/edit_scores.h"
#include "session/peak_memory.h"
#include "session/pixels.h"

namespace roundtrip::run {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

store::ArrayView view_of(const std::string& path, const Tensor& tensor) {
  const bool bytes = tensor.scalar_type() == at::kByte;
  return {.path = path,
          .type = bytes ? store::ArrayType::kUint8 : store::ArrayType::kFloat32,
          .shape = tensor.sizes().vec(),
          .bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

void keep(FinishedRecord& finished, const std::string& path, const Tensor& tensor) {
  const Tensor kept =
      tensor.scalar_type() == at::kByte ? tensor.contiguous() : tensor.to(at::kCPU, at::kFloat).contiguous();
  finished.storage.push_back(kept);
  finished.arrays.push_back(view_of(path, kept));
}

// What bounded an edit, at the size of its picture [H, W, 3]: the mask of its last step, and the maps of its words.
std::map<std::string, Tensor> maps_of(const std::map<std::string, Tensor>& kept, const Tensor& picture) {
  std::map<std::string, Tensor> maps;
  const auto keep_map = [&](const std::string& name, const Tensor& map) {
    maps[name] = session::map_bytes(map, picture.size(0), picture.size(1));
  };
  if (const auto masks = kept.find("blend_masks"); masks != kept.end()) keep_map(masks->first, masks->second[-1]);
  if (const auto words = kept.find("word_maps"); words != kept.end()) keep_map(words->first, words->second);
  return maps;
}

// All that precedes an edit's own sampling: the fit, and the source's walk where the editor reads it.
engine::Cost fitting_cost(const Fitted& fitted, const Walked& walked) {
  engine::Cost cost = fitted.cost;
  cost += walked.cost;
  return cost;
}

void fill_costs(store::Record& record, const plan::Trial& trial, const Prepared& prepared, const Inverted& inverted,
                const engine::Cost& fitting, int64_t state_bytes, const Sampled& sampled) {
  engine::Cost all = inverted.cost;
  all += fitting;
  all += sampled.cost;
  store::set(record, columns::kInvertNfe, inverted.cost.rows);
  store::set(record, columns::kFitNfe, fitting.rows);
  store::set(record, columns::kSampleNfe, sampled.cost.rows);
  if (trial.edits && trial.editor->steers()) {
    store::set(record, columns::kReleasedNfe, trial.editor->released_nfe(trial.steps));
  }
  store::set(record, columns::kGradNfe, all.grad_rows);
  store::set(record, columns::kStateBytes, state_bytes);
  store::set(record, columns::kEncodeSeconds, prepared.encode_seconds);
  store::set(record, columns::kInvertSeconds, inverted.cost.seconds);
  store::set(record, columns::kFitSeconds, fitting.seconds);
  store::set(record, columns::kSampleSeconds, sampled.cost.seconds);
  store::set(record, columns::kDecodeSeconds, sampled.decode_seconds);
  store::set(record, columns::kTiming, trial.engine.timing == session::Timing::kIsolated ? "isolated" : "amortised");
  store::set(record, columns::kBatchRows, all.rows > 0 ? all.batch_rows_sum / static_cast<double>(all.rows) : kNaN);
}

void fill_noise(store::Record& record, const session::NoiseStatistics& noise) {
  store::set(record, columns::kNoiseMean, noise.mean);
  store::set(record, columns::kNoiseStd, noise.std);
  store::set(record, columns::kNoiseAutocorrelation, noise.autocorrelation);
  store::set(record, columns::kNoiseKl, noise.kl);
}

// The loss of a step is the last computed one, before the update that uses it.
std::vector<store::StepRow> step_rows(const diffusion::StepGrid& grid, const std::vector<double>& distances,
                                      const std::map<int, std::vector<double>>& losses) {
  std::vector<store::StepRow> rows;
  for (int i = 0; i <= grid.steps(); ++i) {
    store::StepRow& row =
        rows.emplace_back(store::StepRow{.i = i, .t = grid[i].t, .pivot_distance = distances[i], .loss = kNaN});
    const auto inner = losses.find(i);
    if (inner == losses.end()) continue;
    row.inner_steps = static_cast<int64_t>(inner->second.size());
    if (!inner->second.empty()) row.loss = inner->second.back();
  }
  return rows;
}

}  // namespace

void RecordMaker::expect(const std::vector<PlannedRecord>& records, size_t sample) const {
  for (const PlannedRecord& planned : records) {
    for (const std::string& key : keys_of(*planned.trial, sample, planned.edit).all()) {
      context_.session.engine().memo().expect(key, 1);
    }
  }
}

plan::RecordKeys RecordMaker::keys_of(const plan::Trial& trial, size_t sample, size_t edit) const {
  const inversion::PromptKinds prompts = plan::prompt_kinds(trial, context_.dataset, sample, edit);
  return plan::record_keys(trial, dataset_number_, context_.dataset.ids()[sample], prompts, edit);
}

const std::string& RecordMaker::digest_of(size_t sample) const {
  const auto [entry, is_new] = digests_.emplace(sample, "");
  if (is_new) entry->second = plan::short_digest(context_.dataset, sample);
  return entry->second;
}

Task<void> RecordMaker::fill(const plan::Trial& trial, size_t sample, size_t edit, FinishedRecord& finished) const {
  const plan::RecordKeys keys = keys_of(trial, sample, edit);
  engine::Memo& memo = context_.session.engine().memo();
  const engine::MemoReader lease(memo, keys.all());
  const auto add_notes = [&](const std::vector<std::string>& notes) {
    finished.notes.insert(finished.notes.end(), notes.begin(), notes.end());
  };

  auto preparing = memo.read(keys.prepared, prepare(context_, trial, sample));
  const std::shared_ptr<const Prepared> prepared = co_await preparing;
  add_notes(prepared->notes);
  // First, while nothing else can run: later it would wait behind every full batch, and the record with it.
  auto referring = memo.read(keys.reference, reference(context_, trial, sample, edit, prepared));
  const std::shared_ptr<const Reference> reference = co_await referring;
  add_notes(reference->notes);
  auto inverting = memo.read(keys.inverted, invert(context_, trial, sample, edit, prepared));
  const std::shared_ptr<const Inverted> inverted = co_await inverting;
  auto fitting = memo.read(keys.fitted, fit(context_, trial, sample, edit, prepared, inverted));
  const std::shared_ptr<const Fitted> fitted = co_await fitting;
  add_notes(fitted->inversion.notes);
  const bool is_cfg = trial.settings.guidance == diffusion::GuidanceWay::kCfg;
  if (trial.settings.guidance == diffusion::GuidanceWay::kNone && trial.w() != 1) {
    finished.notes.push_back("guidance is distilled into the model at one scale, so guidance_scale has no effect");
  }
  const bool one_prompt = is_cfg && !trial.edits && prepared->prompt == trial.null_prompt && fitted->cost.rows == 0;
  if (context_.session.model().text && trial.w() != 1 && one_prompt) {
    finished.notes.push_back("the prompt is the null prompt, so guidance_scale has no effect");
  }
  auto walking = memo.read(keys.walked, walk_source(context_, trial, sample, edit, prepared, fitted));
  const std::shared_ptr<const Walked> walked = co_await walking;
  auto sampling =
      memo.read(keys.sampled, run::sample(context_, trial, sample, edit, prepared, fitted, walked, reference));
  const std::shared_ptr<const Sampled> sampled = co_await sampling;

  store::Record& record = finished.record;
  session::fill_scores(record, trial.metrics, trial.protocol, sampled->scores);
  session::fill_scores(record, trial.metrics, trial.protocol, reference->floor);
  fill_costs(record, trial, *prepared, *inverted, fitting_cost(*fitted, *walked), fitted->state_bytes, *sampled);
  fill_noise(record, inverted->noise);
  record.steps = step_rows(*trial.grid, sampled->pivot_distance, fitted->inversion.losses);
  if (trial.save_trajectories) {
    keep(finished, "trajectories/{row}/invert", at::stack(inverted->inversion.pivots));
    keep(finished, "trajectories/{row}/sample", at::stack(sampled->path));
    for (const auto& [name, tensor] : fitted->inversion.state) keep(finished, "trajectories/{row}/" + name, tensor);
    for (const auto& [name, tensor] : sampled->kept) keep(finished, "trajectories/{row}/" + name, tensor);
  }
  if (trial.save_images != plan::SaveImages::kNone) {
    finished.image = session::to_bytes(sampled->image);
    finished.source = session::to_bytes(reference->source);
    finished.maps = maps_of(sampled->kept, finished.image);
  }
}

Task<void> RecordMaker::make(PlannedRecord planned, size_t sample) const {
  const plan::Trial& trial = *planned.trial;
  FinishedRecord finished;
  finished.trial = &trial;
  finished.sample = context_.dataset.ids()[sample];
  finished.record.plan_row = planned.row;
  finished.record.values = plan::setting_of(trial);
  store::set(finished.record, columns::kTrial, trial.number);
  store::set(finished.record, columns::kSample, finished.sample);
  store::set(finished.record, columns::kInputDigest, digest_of(sample));
  if (trial.edits) {
    const data::EditName name = context_.dataset.edits(sample).at(planned.edit);
    store::set(finished.record, columns::kEdit, plan::edit_text(name));
    store::set(finished.record, columns::kEditType, plan::edit_type(name));
    if (!name.name.empty()) finished.sample += " " + name.name;
  }
  const bool isolated = trial.engine.timing == session::Timing::kIsolated;
  const std::optional<session::PeakMemory> peak =
      isolated ? std::optional<session::PeakMemory>(std::in_place) : std::nullopt;
  try {
    Task<void> filling = fill(trial, sample, planned.edit, finished);
    co_await filling;
    store::set(finished.record, columns::kStatus, "ok");
    if (peak) store::set(finished.record, columns::kPeakMemoryBytes, peak->bytes());
  } catch (const std::exception& error) {
    finished.failed = true;
    finished.error = split(error.what(), '\n').front();
    store::set(finished.record, columns::kStatus, "failed");
    store::set(finished.record, columns::kError, finished.error);
  }
  sink_(std::move(finished));
}

}  // namespace roundtrip::run
