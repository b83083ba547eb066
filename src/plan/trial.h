// One fully resolved setting, typed: a job's config, read once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/launch.h"
#include "data/dataset.h"
#include "editing/editor.h"
#include "inversion/method.h"
#include "plan/rehearsed.h"
#include "session/protocol.h"
#include "session/session_options.h"
#include "store/record.h"

namespace roundtrip::plan {

enum class SaveImages { kNone, kWorst8, kAll };

struct Trial {
  int number = 0;                      // its place in the sweep
  std::string config_yaml;             // resolved
  std::string id;                      // its name from run to run (identity.h); the plan completes it
  std::vector<std::string> overrides;  // that made it, as typed
  session::ModelSettings model;
  session::EngineSettings engine;
  data::DatasetOptions dataset;
  std::string method_name;
  std::string method_params;  // canonical text, part of the keys of shared work
  std::shared_ptr<const inversion::Method> method;
  std::string editor_name, editor_params;
  std::shared_ptr<const editing::Editor> editor;
  bool edits = false;  // task: edit samples under the sample's target prompt, reconstruct under its own
  int steps = 0;
  std::shared_ptr<const diffusion::StepGrid> grid = {};  // of the model; the plan makes it
  inversion::Settings settings;                          // invert_w is NaN where inverting asks no network
  int64_t seed = 0;
  std::string null_prompt;
  std::optional<std::string> source_prompt;  // in place of each sample's own
  std::vector<std::string> metrics;
  metrics::MetricParams metric_params;  // of every section `metric.<name>`, completed by the protocol
  session::Protocol protocol;
  std::shared_ptr<const data::Dataset> scored_dataset = {};  // at the protocol's size, if it has one; the plan opens it
  bool save_trajectories = false;
  SaveImages save_images = SaveImages::kNone;
  std::shared_ptr<Rehearsals> rehearsals = {};  // of its model; the plan makes it
  std::map<std::string, store::Value> swept;    // other swept keys, for the columns p.<key>

  // Whether its edits read the source's walk back, a stage of its own.
  bool walks_source() const { return edits && editor->steers() && editor->reads_walk(); }
  double w() const { return settings.numbers.at(inversion::kWKey); }
};

// Reads the dataset of a resolved and checked config.
data::DatasetOptions dataset_options(const hydra::Node& config);

// Reads a job of `launch`. Throws kType or kMissing for a method or parameter that is not there, a metric that is
// unknown, or a device that makes no sense.
Trial read_trial(const hydra::Launch& launch, const hydra::Job& job);

// Reads a resolved and checked config: everything but the trial's place in a sweep, its id and what was swept.
Trial read_settings(const hydra::Node& config);

// Reads what scoring pictures needs, and no model or method: dataset, metrics, protocol and engine. The config that it
// keeps has only these sections.
Trial read_scoring(const hydra::Node& config);

// The keys that vary over the jobs and have no column of their own: they become `p.<key>` (columns::parameter_column).
std::vector<std::string> swept_parameters(const hydra::Launch& launch);

// The values of a trial's axes, by column; and of all trials.
std::map<std::string, store::Value> setting_of(const Trial& trial);
std::vector<std::map<std::string, store::Value>> settings_of(const std::vector<Trial>& trials);

}  // namespace roundtrip::plan
