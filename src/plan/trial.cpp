#include "plan/trial.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "columns/columns.h"
#include "config/section.h"
#include "plan/identity.h"
#include "plan/schema.h"

namespace roundtrip::plan {
namespace {

using hydra::Node;

// Reads config keys that the schema has checked.
class Reader {
 public:
  explicit Reader(const Node& config) : config_(config) {}

  const Node& at(const char* path) const {
    const Node* node = config_.find(path);
    if (!node) throw Error(ErrorKind::kMissing, fmt::format("{}: the key is not in the config", path));
    return *node;
  }
  const std::string& text(const char* path) const { return at(path).as_string(); }
  double number(const char* path) const { return at(path).as_float(); }
  int64_t integer(const char* path) const { return at(path).as_int(); }
  std::optional<int64_t> optional_integer(const char* path) const {
    return at(path).is_null() || at(path).is_string() ? std::nullopt : std::optional(at(path).as_int());
  }
  std::optional<double> optional_number(const char* path) const {
    return at(path).is_null() ? std::nullopt : std::optional(number(path));
  }
  std::vector<std::string> texts(const char* path) const {
    std::vector<std::string> all;
    for (const Node& each : at(path).list()) all.push_back(each.as_string());
    return all;
  }

 private:
  const Node& config_;
};

// The keys of a section that the schema knows; the others are the plug-in's own.
std::set<std::string> shared_keys(const std::string& section) {
  std::set<std::string> keys;
  for (const config::Field& field : schema().fields()) {
    if (field.path.starts_with(section + ".")) keys.insert(field.path.substr(section.size() + 1));
  }
  return keys;
}

data::DatasetOptions read_dataset(const Reader& read, const Node& config) {
  data::DatasetOptions options;
  options.name = read.text("dataset.name");
  options.path = read.text("dataset.path");
  options.limit = read.optional_integer("dataset.limit");
  options.ids = read.texts("dataset.ids");
  if (!read.at("dataset.prompt").is_null()) options.prompt = read.text("dataset.prompt");
  options.resample = read.text("dataset.resample");
  options.params = config::section_params(config, "dataset", shared_keys("dataset"));
  const Node& size = read.at("dataset.size");
  if (size.is_list()) {
    options.size = {static_cast<int>(size.list()[0].as_int()), static_cast<int>(size.list()[1].as_int())};
  } else if (!size.is_null()) {
    options.size = {static_cast<int>(size.as_int()), static_cast<int>(size.as_int())};
  }
  return options;
}

session::EngineSettings read_engine(const Reader& read) {
  session::EngineSettings engine{.device = read.text("engine.device"),
                                 .threads = read.optional_integer("engine.threads"),
                                 .max_batch = read.optional_integer("engine.max_batch"),
                                 .max_live = read.optional_integer("engine.max_live")};
  if (!read.at("engine.memory").is_null()) {
    engine.memory_bytes = static_cast<int64_t>(read.number("engine.memory") * (int64_t{1} << 30));
  }
  if (read.text("engine.determinism") == "strict") engine.determinism = session::Determinism::kStrict;
  if (read.text("engine.timing") == "isolated") engine.timing = session::Timing::kIsolated;
  return engine;
}

session::Protocol read_protocol(const Reader& read) {
  using session::SavedAs;
  session::Protocol protocol;
  const bool released = read.text("pie.protocol") == "released";
  if (released) protocol.pie = session::Pie::kReleased;
  if (const auto side = read.optional_integer("pie.resolution")) protocol.resolution = static_cast<int>(*side);
  if (read.at("pie.save").is_null()) {
    protocol.saved = released ? SavedAs::kJpeg : protocol.resolution ? SavedAs::kPng : SavedAs::kFloat;
  } else {
    const std::string& saved = read.text("pie.save");
    protocol.saved = saved == "jpeg" ? SavedAs::kJpeg : saved == "png" ? SavedAs::kPng : SavedAs::kFloat;
  }
  if (protocol.resolution && protocol.saved == SavedAs::kFloat) {
    throw Error(ErrorKind::kType, "pie.save: found float; expected png or jpeg, because pie.resolution resizes bytes");
  }
  return protocol;
}

metrics::MetricParams read_metric_params(const Node& config) {
  metrics::MetricParams params;
  const Node* all = config.find("metric");
  if (all == nullptr || all->is_null()) return params;
  if (!all->is_dict()) config::scalar_params(config, "metric");  // throws
  for (const auto& entry : all->dict()) {
    params.emplace(entry.key().text, config::scalar_params(config, "metric." + entry.key().text));
  }
  metrics::metric_files(params);  // throws for what no metric could read
  return params;
}

void check_metrics(const std::vector<std::string>& metrics) {
  for (const std::string& name : metrics) metrics::Metric::Plugins::info(name);
}

// What a run and the scoring of pictures have in common.
void read_shared(const Reader& read, const Node& config, Trial& trial) {
  trial.engine = read_engine(read);
  trial.dataset = read_dataset(read, config);
  trial.metrics = read.texts("metrics");
  check_metrics(trial.metrics);
  trial.protocol = read_protocol(read);
  trial.metric_params = session::completed(trial.protocol, read_metric_params(config));
}

store::Value value_of(const Node* node, const std::string& key, const hydra::Job& job) {
  if (!node || node->is_dict()) {  // a group, such as an experiment: its choice
    for (const std::string& override : job.overrides) {
      const size_t equals = override.find('=');
      const std::string name = std::string(trim(override.substr(0, equals)));
      if (name == key || name == "+" + key || name == "++" + key) return override.substr(equals + 1);
    }
    return {};
  }
  switch (node->kind()) {
    case Node::Kind::kNull:
      return {};
    case Node::Kind::kBool:
      return int64_t{node->as_bool()};
    case Node::Kind::kInt:
      return node->as_int();
    case Node::Kind::kFloat:
      return node->as_float();
    default:
      return hydra::python_str(*node);
  }
}

}  // namespace

data::DatasetOptions dataset_options(const Node& config) { return read_dataset(Reader(config), config); }

std::vector<std::string> swept_parameters(const hydra::Launch& launch) {
  std::set<std::string> with_columns;
  for (const columns::Axis& axis : columns::axes()) with_columns.insert(axis.keys.begin(), axis.keys.end());
  std::vector<std::string> keys;
  for (const std::string& key : launch.swept) {
    if (!with_columns.contains(key)) keys.push_back(key);
  }
  return keys;
}

std::map<std::string, store::Value> setting_of(const Trial& trial) {
  store::Record record;
  store::set(record, columns::kTask, trial.edits ? "edit" : "reconstruct");
  store::set(record, columns::kMethod, trial.method_name);
  store::set(record, columns::kEditor, trial.edits ? trial.editor_name : "none");
  store::set(record, columns::kSteps, trial.steps);
  store::set(record, columns::kInvertGuidanceScale, trial.settings.invert_w);
  store::set(record, columns::kEpsAt, trial.settings.eps_at == inversion::EpsAt::kTo ? "t" : "t-1");
  for (const auto& [key, value] : trial.settings.numbers) record.values[key] = value;
  store::set(record, columns::kSeed, trial.seed);
  store::set(record, columns::kModel, std::filesystem::path(trial.model.path).lexically_normal().filename().string());
  store::set(record, columns::kDataset, trial.dataset.path.lexically_normal().filename().string());
  store::set(record, columns::kDtype, trial.model.dtype);
  for (const auto& [key, value] : trial.swept) record.values[columns::parameter_column(key)] = value;
  return record.values;
}

std::vector<std::map<std::string, store::Value>> settings_of(const std::vector<Trial>& trials) {
  std::vector<std::map<std::string, store::Value>> settings;
  for (const Trial& trial : trials) settings.push_back(setting_of(trial));
  return settings;
}

Trial read_scoring(const Node& config) {
  const Reader read(config);
  Trial trial;
  Node used{hydra::Dict()};
  for (const char* section : {"task", "dataset", "metrics", "metric", "pie", "engine", "label"}) {
    if (const Node* value = config.find(section); value != nullptr) used.set(section, *value);
  }
  trial.config_yaml = hydra::to_yaml(used);
  trial.edits = read.text("task") == "edit";
  read_shared(read, config, trial);
  return trial;
}

Trial read_settings(const Node& config) {
  const Reader read(config);
  Trial trial;
  trial.config_yaml = hydra::to_yaml(config);
  read_shared(read, config, trial);
  trial.model = {.path = read.text("model.path"),
                 .dtype = read.text("model.dtype"),
                 .t5_tokens = read.optional_integer("model.t5_tokens"),
                 .shift = read.optional_number("model.shift"),
                 .encode_sample = read.text("model.encode") == "sample"};
  const config::Params params = config::section_params(config, "method");
  trial.method_name = params.get_string("name");
  trial.method_params = config::canonical_text(params);
  trial.method = inversion::make_method(trial.method_name, params);
  const config::Params editor_params = config::section_params(config, "editor");
  trial.editor_name = editor_params.get_string("name");
  trial.editor_params = config::canonical_text(editor_params);
  trial.editor = editing::make_editor(trial.editor_name, editor_params);
  trial.edits = read.text("task") == "edit";
  trial.steps = static_cast<int>(std::min<int64_t>(read.integer("steps"), std::numeric_limits<int>::max()));
  for (const columns::NumberSetting& setting : columns::kNumberSettings) {
    trial.settings.numbers[setting.column.name] = read.number(setting.column.name);
  }
  const Node& invert_w = read.at("invert_guidance_scale");
  trial.settings.invert_w = invert_w.is_null() ? trial.method->default_invert_w(trial.w()) : invert_w.as_float();
  trial.settings.eps_at = read.text("eps_at") == "t" ? inversion::EpsAt::kTo : inversion::EpsAt::kFrom;
  trial.seed = read.integer("seed");
  trial.null_prompt = read.text("null_prompt");
  if (!read.at("source_prompt").is_null()) trial.source_prompt = read.text("source_prompt");
  trial.save_trajectories = read.at("save.trajectories").as_bool();
  const std::string& images = read.text("save.images");
  trial.save_images = images == "all" ? SaveImages::kAll : images == "none" ? SaveImages::kNone : SaveImages::kWorst8;
  return trial;
}

Trial read_trial(const hydra::Launch& launch, const hydra::Job& job) {
  Trial trial = read_settings(job.config);
  trial.number = job.num;
  trial.id = sha256_hex(hydra::to_yaml(deciding_config(job.config, launch.swept)));
  trial.overrides = job.overrides;
  for (const std::string& key : swept_parameters(launch)) {
    trial.swept[key] = value_of(job.config.find(key), key, job);
  }
  return trial;
}

}  // namespace roundtrip::plan
