#include "plan/plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "base/error.h"
#include "base/file_digest.h"
#include "base/hash.h"
#include "base/text.h"
#include "diffusion/step_grid.h"
#include "model/model_folder.h"
#include "plan/keys.h"
#include "session/device.h"

namespace roundtrip::plan {
namespace {

PlanSession& session_of(Plan& plan, const Trial& trial) {
  const auto same = [&](const PlanSession& session) {
    return session.options.model.path == trial.model.path && session.options.model.dtype == trial.model.dtype &&
           session.options.model.t5_tokens == trial.model.t5_tokens &&
           session.options.model.shift == trial.model.shift && session.options.engine == trial.engine &&
           session.options.metric_params == trial.metric_params;
  };
  auto session = std::ranges::find_if(plan.sessions, same);
  if (session == plan.sessions.end()) {
    session::Device(trial.engine.device);  // throws for one that is not there
    session::SessionOptions options{
        .model = trial.model, .engine = trial.engine, .metrics = {}, .metric_params = trial.metric_params};
    session = plan.sessions.insert(plan.sessions.end(), PlanSession{.options = std::move(options), .datasets = {}});
  }
  for (const std::string& metric : trial.metrics) {
    std::vector<std::string>& all = session->options.metrics;
    if (std::ranges::find(all, metric) == all.end()) all.push_back(metric);
  }
  return *session;
}

PlanDataset& dataset_of(PlanSession& session, const data::DatasetOptions& options) {
  auto entry = std::ranges::find(session.datasets, options, &PlanDataset::options);
  if (entry == session.datasets.end()) {
    entry = session.datasets.insert(
        session.datasets.end(), PlanDataset{.options = options, .dataset = data::open_dataset(options), .trials = {}});
  }
  return *entry;
}

// The weights and modules that the trials of one session read.
std::string digest_of(const PlanSession& session, const model::ModelCard& model) {
  Hasher hasher;
  hasher.add(model.digest());
  for (const auto& [key, path] : metrics::metric_files(session.options.metric_params, session.options.metrics)) {
    hasher.add(key).add(std::filesystem::exists(path) ? remembered_sha256_of_file(path) : std::string());
  }
  return hasher.hex();
}

// What a trial's editor needs of its method and of the network.
void check_editor(const Trial& trial, const model::ModelCard& model, const data::Dataset& dataset) {
  if (!trial.edits || !trial.editor->steers()) return;
  if (!trial.rehearsals->of(trial, {}).has_sampler) {
    throw Error(
        ErrorKind::kType,
        fmt::format("editor.name: found {}; the way back of method={} is not one latent that asks once a step, so "
                    "no editor can drive it; expected none, or a method with a one-latent way back",
                    trial.editor_name, trial.method_name));
  }
  const auto [height, width] = trial.dataset.size;
  editing::NetworkFacts facts{.sites = {},
                              .resnets = {},
                              .h = height / model.pixels_per_latent,
                              .w = width / model.pixels_per_latent,
                              .guidance_scale = trial.w()};
  facts.sites = model.network->attention_sites(facts.h, facts.w);
  facts.resnets = model.network->resnets();
  for (size_t s = 0; s < dataset.ids().size() && !facts.edits_name_words; ++s) {
    for (const data::EditName& edit : dataset.edits(s)) facts.edits_name_words |= !edit.words.blend_target.empty();
  }
  trial.editor->require(facts);
}

// Refuses prompts that the model cannot read, such as captions where it knows classes.
void check_prompts(const Trial& trial, const model::ModelCard& model, const data::Dataset& dataset) {
  if (!model.prompts) return;
  const auto check = [&](size_t sample, const std::string& prompt) {
    try {
      model.prompts->check(prompt);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("sample {}: {}", dataset.ids()[sample], error.what()));
    }
  };
  for (size_t s = 0; s < dataset.ids().size(); ++s) {
    check(s, trial.source_prompt.value_or(dataset.prompt(s)));
    if (!trial.edits) continue;
    for (const data::EditName& edit : dataset.edits(s)) check(s, edit.target_prompt);
  }
}

// The trial's dataset at its protocol's size, which an earlier trial may have opened.
std::shared_ptr<const data::Dataset> scored_dataset(const Plan& plan, const PlanDataset& entry, const Trial& trial) {
  const int side = *trial.protocol.resolution;
  for (const size_t k : entry.trials) {
    const Trial& other = plan.trials[k];
    if (other.scored_dataset && other.protocol.resolution == side) return other.scored_dataset;
  }
  data::DatasetOptions options = trial.dataset;
  options.size = {side, side};
  return data::open_dataset(options);
}

// The size of the images: as set, or the model's.
void fill_size(Trial& trial, const model::ModelCard& model, const std::string& path) {
  if (trial.dataset.size.first == 0) {
    if (model.pixel_size[0] == 0) {
      throw Error(ErrorKind::kMissing, fmt::format("dataset.size: {} does not say its image size; expected a number "
                                                   "or [height, width]",
                                                   path));
    }
    trial.dataset.size = {static_cast<int>(model.pixel_size[0]), static_cast<int>(model.pixel_size[1])};
  }
  model.check_size(trial.dataset.size.first, trial.dataset.size.second);
}

// What a trial's method and settings need of the model's guidance and sampling.
void check_guidance(const Trial& trial, const model::ModelCard& model) {
  const inversion::MethodInfo& method = inversion::Method::Plugins::info(trial.method_name);
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::kType, fmt::format("method.name: found {}; {}; expected another method", method.name, why));
  };
  if (method.needs_cfg && model.guidance != diffusion::GuidanceWay::kCfg) {
    refuse(
        "it needs an unconditional prediction, and guidance is distilled into this model, which makes one "
        "prediction for every guidance scale");
  }
  if (method.tunes_tokens && trial.w() != 1 && model.has_text && model.text_length == 0) {
    refuse("it tunes a text's tokens, and this model reads class labels");
  }
}

// Settings that the model has to agree with: its size, its schedule.
void check_against_model(Plan& plan, PlanSession& session, const std::vector<size_t>& trials, TrialIds ids) {
  const model::ModelCard model = model::inspect_model({.path = session.options.model.path,
                                                       .dtype = session.options.model.dtype,
                                                       .t5_tokens = session.options.model.t5_tokens,
                                                       .shift = session.options.model.shift});
  session.parameters = model.parameters;
  const std::string digest = ids == TrialIds::kMake ? digest_of(session, model) : "";
  std::map<std::pair<int, std::pair<int, int>>, std::shared_ptr<const diffusion::StepGrid>> grids;
  const auto grid_of = [&](int steps, std::pair<int, int> size) {
    auto& grid = grids[{steps, model.is_flow() ? size : std::pair<int, int>()}];
    if (!grid) grid = std::make_shared<const diffusion::StepGrid>(model.grid(steps, size.first, size.second));
    return grid;
  };
  const auto rehearsals = std::make_shared<Rehearsals>();
  std::set<std::tuple<const data::Dataset*, std::optional<std::string>, bool>> checked;  // prompts that were checked
  for (const size_t k : trials) {
    Trial& trial = plan.trials[k];
    if (ids == TrialIds::kMake) trial.id = Hasher().add(trial.id).add(digest).hex().substr(0, 16);
    fill_size(trial, model, session.options.model.path);
    trial.grid = grid_of(trial.steps, trial.dataset.size);  // throws for steps that the schedule does not have
    inversion::check_grid(trial.method_name, *trial.grid, trial.settings);
    trial.method->require(*trial.grid);
    trial.settings.guidance = model.guidance;
    check_guidance(trial, model);
    trial.rehearsals = rehearsals;
    // A method that asks no network when inverting has no such scale, whatever is set.
    const inversion::Rehearsal& seen = rehearsals->of(trial, {});
    if (!seen.reads(inversion::kInvertWKey)) {
      trial.settings.invert_w = std::numeric_limits<double>::quiet_NaN();
    }
    if (trial.steps >= std::ssize(session.options.times)) {
      session.options.times.clear();
      for (int i = 0; i <= trial.steps; ++i) session.options.times.push_back((*trial.grid)[i].t);
    }
    const int64_t factor = model.pixels_per_latent;
    const auto [height, width] = trial.dataset.size;
    session.options.height = std::max(session.options.height, height);
    session.options.width = std::max(session.options.width, width);
    const int64_t latent = model.latent_channels * (height / factor) * (width / factor) * int64_t{sizeof(float)};
    PlanDataset& entry = dataset_of(session, trial.dataset);
    entry.trials.push_back(k);
    const bool is_new = checked.insert({entry.dataset.get(), trial.source_prompt, trial.edits}).second;
    if (is_new) check_prompts(trial, model, *entry.dataset);
    check_editor(trial, model, *entry.dataset);
    if (trial.protocol.resolution) trial.scored_dataset = scored_dataset(plan, entry, trial);
    const int64_t records = entry.records(trial);
    if (trial.save_trajectories) plan.saved_bytes += records * 2 * (trial.steps + 1) * latent;
    if (trial.save_images == SaveImages::kAll) plan.saved_bytes += records * 2 * 3 * height * width;
  }
}

// Adds `count` times `each` to what is made, as far as other trials' records do not make it already.
void make(std::map<std::string, int64_t>& made, const std::string& key, const inversion::NfeBounds& each, int64_t count,
          inversion::NfeBounds& sum) {
  int64_t& already = made[key];
  sum += each * std::max<int64_t>(count - already, 0);
  already = std::max(already, count);
}

// The evaluations that the trials of one dataset ask for, and those that are left when records share.
void count_evaluations(Plan& plan, PlanSession& session, const PlanDataset& entry, int dataset_number) {
  using inversion::PromptKinds;
  std::map<std::string, int64_t> made;
  for (const size_t k : entry.trials) {
    const Trial& trial = plan.trials[k];
    // Samples and edits differ only in which of their prompts are the null prompt: one of each kind stands for all.
    std::map<std::pair<PromptKinds, size_t>, int64_t> records;  // by kind and the edit's number
    std::map<bool, int64_t> sources;                            // by whether the source prompt is the null prompt
    struct Walks {
      PromptKinds kinds;
      int64_t count = 0;  // samples
    };
    std::map<std::string, Walks> walks;  // of sources, by key
    const auto keys_of = [&](PromptKinds kinds, size_t edit, bool by_target) {
      const std::string name = fmt::format("{}{}{}", kinds.null_source ? "null" : "",
                                           by_target && kinds.null_sampled ? "0" : "", by_target ? kinds.words : "");
      return record_keys(trial, dataset_number, name, kinds, edit);
    };
    for (size_t s = 0; s < entry.dataset->ids().size(); ++s) {
      const auto count = static_cast<size_t>(entry.records(trial, s));
      std::map<std::string, PromptKinds> walked;  // of this sample
      for (size_t e = 0; e < count; ++e) {
        const PromptKinds kinds = prompt_kinds(trial, *entry.dataset, s, e);
        ++records[{kinds, e}];
        if (e == 0) ++sources[kinds.null_source];
        if (trial.walks_source()) walked.emplace(keys_of(kinds, e, false).walked, kinds);
      }
      for (const auto& [key, kinds] : walked) {
        Walks& same = walks[key];
        same.kinds = kinds;
        ++same.count;
      }
    }
    for (const auto& [null_source, count] : sources) {
      const PromptKinds kinds{null_source, null_source};
      const inversion::Rehearsal& seen = trial.rehearsals->of(trial, kinds);
      const RecordKeys keys = keys_of(kinds, 0, false);
      make(made, keys.inverted, seen.invert.nfe, count, session.made);
      make(made, keys.fitted, seen.fit.nfe, count, session.made);
    }
    for (const auto& [kind, count] : records) {
      const auto& [kinds, edit] = kind;
      const inversion::Rehearsal& seen = trial.rehearsals->of(trial, kinds);
      plan.asked += seen.invert.nfe * count;
      plan.asked += seen.fit.nfe * count;
      plan.asked += seen.walk.nfe * count;
      plan.asked += seen.sample.nfe * count;
      make(made, keys_of(kinds, edit, true).sampled, seen.sample.nfe, count, session.made);
    }
    for (const auto& [key, same] : walks) {
      make(made, key, trial.rehearsals->of(trial, same.kinds).walk.nfe, same.count, session.made);
    }
  }
}

void check_edits(const PlanDataset& entry, const Trial& trial) {
  if (trial.edits && entry.records(trial) == 0) {
    throw input_error(entry.options.path.string(), "task=edit, and no image has an edit",
                      "a target_text in metadata.jsonl for one image or more");
  }
}

}  // namespace

int64_t PlanDataset::records(const Trial& trial, size_t sample) const {
  return trial.edits ? static_cast<int64_t>(dataset->edits(sample).size()) : 1;
}

int64_t PlanDataset::records(const Trial& trial) const {
  int64_t sum = 0;
  for (size_t sample = 0; sample < dataset->ids().size(); ++sample) sum += records(trial, sample);
  return sum;
}

Plan make_plan(const hydra::Launch& launch, TrialIds ids) {
  Plan plan;
  plan.swept = launch.swept;
  plan.parameters = swept_parameters(launch);
  for (const hydra::Job& job : launch.jobs) plan.trials.push_back(read_trial(launch, job));

  std::vector<std::vector<size_t>> trials_of_session;
  for (size_t k = 0; k < plan.trials.size(); ++k) {
    const size_t session = &session_of(plan, plan.trials[k]) - plan.sessions.data();
    trials_of_session.resize(plan.sessions.size());
    trials_of_session[session].push_back(k);
  }
  plan.first_row.resize(plan.trials.size());
  std::vector<int64_t> records_of_trial(plan.trials.size());
  for (size_t b = 0; b < plan.sessions.size(); ++b) {
    check_against_model(plan, plan.sessions[b], trials_of_session[b], ids);
    for (size_t d = 0; d < plan.sessions[b].datasets.size(); ++d) {
      const PlanDataset& entry = plan.sessions[b].datasets[d];
      count_evaluations(plan, plan.sessions[b], entry, static_cast<int>(d));
      for (const size_t k : entry.trials) {
        check_edits(entry, plan.trials[k]);
        records_of_trial[k] = entry.records(plan.trials[k]);
      }
    }
    plan.made += plan.sessions[b].made;
  }
  std::map<std::string, int> times_seen;  // a sweep may name a setting twice
  for (size_t k = 0; k < plan.trials.size(); ++k) {
    plan.first_row[k] = plan.records;
    plan.records += records_of_trial[k];
    if (const int times = times_seen[plan.trials[k].id]++; times > 0) plan.trials[k].id += fmt::format("-{}", times);
  }
  return plan;
}

}  // namespace roundtrip::plan
