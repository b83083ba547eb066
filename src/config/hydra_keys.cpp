#include "config/hydra_keys.h"

#include "base/error.h"

namespace roundtrip::config {

using hydra::Node;

const Schema& hydra_schema() {
  static const Schema table = [] {
    Schema s;
    s.add({"run.dir", Type::path(), "", "where one trial leaves its results"});
    s.add({"sweep.dir", Type::path(), "", "where a sweep leaves its results"});
    s.add({"sweep.subdir", Type::string().or_null(), "",
           "a folder per job with its .hydra files, such as ${hydra.job.num}; results are in one file either way"});
    s.add({"mode", Type::one_of({"RUN", "MULTIRUN"}).or_null(), "", "what is done without -m"});
    s.add({"searchpath", Type::list(Type::string()), "", "more config folders, before the built-in configs"});
    s.add({"output_subdir", Type::string().or_null(), "", "where the composed config is kept; null: nowhere"});
    s.add({"verbose", Type::any(), "", "taken for Hydra's sake; it changes nothing"});
    s.add({"sweeper.params", Type::any(), "", "axes of the sweep: a dict of key: \"a,b\", or a list of such grids"});
    s.add({"sweeper.exclude", Type::list(Type::string()), "",
           "combinations to leave out, such as \"method=ddim and steps>50\""});
    s.add({"sweeper.max_batch_size", Type::integer().min(1).or_null(), "jobs",
           "taken for Hydra's sake: the whole sweep is checked before its first trial, whatever this says"});
    s.add({"sweeper.seed", Type::integer().min(0), "", "of shuffle()"});
    s.add({"job.name", Type::string(), "", "a name for ${hydra:job.name}"});
    s.add({"job.num", Type::integer().or_null(), "", "of the job in its sweep; set by the program"});
    s.add({"job.id", Type::string().or_null(), "", "a name for ${hydra:job.id}"});
    s.add({"job.config_name", Type::string().or_null(), "", "the primary config; set by the program"});
    s.add({"job.chdir", Type::boolean().or_null(), "", "false: trials share one process and one working directory"});
    s.add({"job.env_set", Type::dict(Type::string()), "", "environment variables of the run"});
    s.add({"job.override_dirname", Type::string(), "", "the overrides as a folder's name; set by the program"});
    s.add({"job.config.override_dirname.kv_sep", Type::string(), "", "between key and value in it"});
    s.add({"job.config.override_dirname.item_sep", Type::string(), "", "between its parts"});
    s.add({"job.config.override_dirname.exclude_keys", Type::list(Type::string()), "", "keys left out of it"});
    s.add({"overrides.task", Type::list(Type::string()), "", "of the config; set by the program"});
    s.add({"overrides.hydra", Type::list(Type::string()), "", "of this node; set by the program"});
    s.add({"runtime.version", Type::string().or_null(), "", "set by the program"});
    s.add({"runtime.cwd", Type::string().or_null(), "", "set by the program"});
    s.add({"runtime.output_dir", Type::string().or_null(), "", "set by the program"});
    s.add({"runtime.choices", Type::any(), "", "the option of each group; set by the program"});
    s.add({"runtime.config_sources", Type::any(), "", "the search path; set by the program"});
    s.add({"help.app_name", Type::string(), "", "at the head of --help"});
    s.add({"help.header", Type::string(), "", "before the text of --help"});
    s.add({"help.footer", Type::string(), "", "behind it"});
    return s;
  }();
  return table;
}

void check_hydra(const Node& hydra) {
  Node checked;
  try {
    checked = hydra_schema().validate(hydra);
  } catch (const Error& error) {
    const std::string& message = error.message();
    const size_t unknown = message.find(": there is no such key");
    if (unknown == std::string::npos) throw Error(ErrorKind::kCompose, "hydra: " + message, error.details());
    const std::string path = message.substr(0, unknown);
    const std::string key = path.substr(path.find_last_of(". ") + 1);
    throw Error(ErrorKind::kCompose, fmt::format("Key '{}' not in 'HydraConf'", key), "  " + message);
  }
  const Node* chdir = checked.find("job.chdir");
  if (chdir->kind() == Node::Kind::kBool && chdir->as_bool()) {
    throw Error(ErrorKind::kCompose,
                fmt::format("hydra.job.chdir=true is not supported: all trials share one working directory; "
                            "${{hydra:runtime.output_dir}} names the run's folder"));
  }
}

}  // namespace roundtrip::config
