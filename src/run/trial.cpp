#include "run/trial.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/hash.h"
#include "base/text.h"
#include "config/section.h"
#include "run/identity.h"

namespace roundtrip::run {
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
  std::string optional_text(const char* path) const { return at(path).is_null() ? "" : text(path); }
  std::vector<std::string> texts(const char* path) const {
    std::vector<std::string> all;
    for (const Node& each : at(path).list()) all.push_back(each.as_string());
    return all;
  }

 private:
  const Node& config_;
};

data::DatasetOptions read_dataset(const Reader& read) {
  data::DatasetOptions options;
  options.name = read.text("dataset.name");
  options.path = read.text("dataset.path");
  options.limit = read.optional_integer("dataset.limit");
  options.ids = read.texts("dataset.ids");
  if (!read.at("dataset.prompt").is_null()) options.prompt = read.text("dataset.prompt");
  options.resample = read.text("dataset.resample");
  const Node& size = read.at("dataset.size");
  if (size.is_list()) {
    options.size = {static_cast<int>(size.list()[0].as_int()), static_cast<int>(size.list()[1].as_int())};
  } else if (!size.is_null()) {
    options.size = {static_cast<int>(size.as_int()), static_cast<int>(size.as_int())};
  }
  return options;
}

EngineSettings read_engine(const Reader& read) {
  EngineSettings engine{.device = read.text("engine.device"),
                        .threads = read.optional_integer("engine.threads"),
                        .max_batch = read.optional_integer("engine.max_batch"),
                        .max_live = read.optional_integer("engine.max_live")};
  if (!read.at("engine.memory").is_null()) {
    engine.memory_bytes = static_cast<int64_t>(read.number("engine.memory") * (int64_t{1} << 30));
  }
  if (read.text("engine.determinism") == "strict") engine.determinism = Determinism::kStrict;
  if (read.text("engine.timing") == "isolated") engine.timing = Timing::kIsolated;
  return engine;
}

// Every parameter of the method, in one canonical line.
std::string canonical(const config::Params& params) {
  std::string text;
  for (const auto& [key, value] : params.values()) {
    const std::string shown = std::visit(
        [](const auto& each) -> std::string {
          using T = std::decay_t<decltype(each)>;
          if constexpr (std::is_same_v<T, std::monostate>) return "null";
          if constexpr (std::is_same_v<T, bool>) return each ? "true" : "false";
          if constexpr (std::is_same_v<T, int64_t>) return fmt::format("{}", each);
          if constexpr (std::is_same_v<T, double>) return python_repr(each);
          if constexpr (std::is_same_v<T, std::string>) return each;
        },
        value);
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, shown);
  }
  return text;
}

void check_metrics(const std::vector<std::string>& metrics) {
  const std::vector<std::string> known = metrics::metric_names();
  for (const std::string& name : metrics) {
    if (std::ranges::find(known, name) == known.end()) {
      throw Error(ErrorKind::kType, fmt::format("metrics: '{}' is not a metric; expected some of {}.{}", name,
                                                join(known, ", "), did_you_mean(name, known)));
    }
  }
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

std::vector<std::string> swept_parameters(const hydra::Launch& launch) {
  constexpr std::array kWithColumns = {"task",   "method", "steps", "guidance_scale", "invert_guidance_scale",
                                       "eps_at", "eta",    "seed",  "model.dtype",    "method.name"};
  std::vector<std::string> keys;
  for (const std::string& key : launch.swept) {
    if (std::ranges::find(kWithColumns, key) == kWithColumns.end()) keys.push_back(key);
  }
  return keys;
}

std::string parameter_column(std::string key) {
  std::ranges::replace(key, '/', '.');
  return "p." + key;
}

Trial read_settings(const Node& config) {
  const Reader read(config);
  Trial trial;
  trial.config_yaml = hydra::to_yaml(config);
  trial.model = {read.text("model.path"), read.text("model.dtype"), read.text("model.encode") == "sample"};
  trial.engine = read_engine(read);
  trial.dataset = read_dataset(read);
  const config::Params params = config::section_params(config, "method");
  trial.method_name = params.get_string("name");
  trial.method_params = canonical(params);
  trial.method = inversion::make_method(trial.method_name, params);
  trial.edits = read.text("task") == "edit";
  trial.steps = static_cast<int>(std::min<int64_t>(read.integer("steps"), std::numeric_limits<int>::max()));
  trial.w = read.number("guidance_scale");
  const Node& invert_w = read.at("invert_guidance_scale");
  const double own_invert_w = trial.method->default_invert_w(trial.w);
  // A method that asks no network when inverting has no such scale, whatever is set.
  trial.invert_w = invert_w.is_null() || std::isnan(own_invert_w) ? own_invert_w : invert_w.as_float();
  trial.eps_at = read.text("eps_at") == "t" ? inversion::EpsAt::kTarget : inversion::EpsAt::kSource;
  trial.eta = read.number("eta");
  trial.seed = read.integer("seed");
  trial.null_prompt = read.text("null_prompt");
  trial.metrics = read.texts("metrics");
  check_metrics(trial.metrics);
  trial.metric_options = {.lpips_path = read.optional_text("lpips.path"),
                          .attributes_path = read.optional_text("attributes.path"),
                          .clip_path = read.optional_text("clip.path")};
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

}  // namespace roundtrip::run
