#include "config/hydra_keys.h"

#include "base/error.h"

namespace roundtrip::config {

using hydra::Node;

const Schema& hydra_schema() {
  static const Schema table = [] {
    Schema s;
    s.add({"run.dir", Type::path(), "", "directory of the results of one trial"});
    s.add({"sweep.dir", Type::path(), "", "directory of the results of a sweep"});
    s.add({"sweep.subdir", Type::string().or_null(), "",
           "a folder per job with its .hydra files, such as ${hydra.job.num}; results are in one file either way"});
    s.add({"mode", Type::one_of({"RUN", "MULTIRUN"}).or_null(), "", "mode without -m"});
    s.add({"searchpath", Type::list(Type::string()), "", "more config folders, before the built-in configs"});
    s.add({"output_subdir", Type::string().or_null(), "",
           "folder of the composed config in the run directory; null: none"});
    s.add({"verbose", Type::any(), "", "accepted for compatibility, ignored"});
    s.add({"sweeper.params", Type::any(), "", "axes of the sweep: a dict of key: \"a,b\", or a list of such grids"});
    s.add({"sweeper.exclude", Type::list(Type::string()), "",
           "combinations to leave out, such as \"method=ddim and steps>50\""});
    s.add({"sweeper.max_batch_size", Type::integer().min(1).or_null(), "jobs",
           "accepted for compatibility, ignored: the whole sweep is checked before its first trial"});
    s.add({"sweeper.seed", Type::integer().min(0), "", "seed of shuffle()"});
    s.add({"job.name", Type::string(), "", "value of ${hydra:job.name}"});
    s.add({"job.num", Type::integer().or_null(), "", "number of the job in its sweep; set by the program"});
    s.add({"job.id", Type::string().or_null(), "", "value of ${hydra:job.id}"});
    s.add({"job.config_name", Type::string().or_null(), "", "the primary config; set by the program"});
    s.add({"job.chdir", Type::boolean().or_null(), "", "false: trials share one process and one working directory"});
    s.add({"job.env_set", Type::dict(Type::string()), "", "environment variables of the run"});
    s.add({"job.override_dirname", Type::string(), "", "overrides joined into a folder name; set by the program"});
    s.add({"job.config.override_dirname.kv_sep", Type::string(), "", "separator of key and value in override_dirname"});
    s.add({"job.config.override_dirname.item_sep", Type::string(), "", "separator of overrides in override_dirname"});
    s.add({"job.config.override_dirname.exclude_keys", Type::list(Type::string()), "",
           "keys omitted from override_dirname"});
    s.add({"overrides.task", Type::list(Type::string()), "", "overrides of the config; set by the program"});
    s.add({"overrides.hydra", Type::list(Type::string()), "", "overrides of this node; set by the program"});
    s.add({"runtime.version", Type::string().or_null(), "", "set by the program"});
    s.add({"runtime.cwd", Type::string().or_null(), "", "set by the program"});
    s.add({"runtime.output_dir", Type::string().or_null(), "", "set by the program"});
    s.add({"runtime.choices", Type::any(), "", "the option of each group; set by the program"});
    s.add({"runtime.config_sources", Type::any(), "", "the search path; set by the program"});
    s.add({"help.app_name", Type::string(), "", "name of the program in --help"});
    s.add({"help.header", Type::string(), "", "text before --help"});
    s.add({"help.footer", Type::string(), "", "text after --help"});
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
