// Turns a command line into the jobs to run: the whole sweep is composed, resolved and type-checked before anything
// runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hydra/compose/compose.h"
#include "hydra/compose/search_path.h"
#include "hydra/launch/flags.h"
#include "hydra/tree/node.h"

namespace roundtrip::hydra {

struct Job {
  int num = 0;
  std::vector<std::string> overrides;  // the task overrides of this job, as text
  Node config;                         // composed, resolved, type-checked; without hydra
  Node composed;                       // with unresolved interpolations; in a sweep only if subdir is set
  std::string subdir;                  // hydra.sweep.subdir, resolved for this job; usually empty
};

struct Launch {
  bool multirun = false;
  Node hydra;              // resolved; hydra.runtime.output_dir is output_dir
  Node composed;           // the job, or the start of the sweep, with unresolved interpolations
  std::string output_dir;  // hydra.run.dir or hydra.sweep.dir
  std::vector<Job> jobs;
  std::vector<std::string> swept;           // dotted keys and groups with more than one value, in sweep order
  std::vector<std::string> task_overrides;  // as typed
  std::vector<std::string> hydra_overrides;
  std::map<std::string, std::string> environment;  // hydra.job.env_set, for the caller to set
  std::vector<std::string> warnings;
};

// The search path of these flags: -cp (else the built-in primary), -cd, hydra.searchpath, built in.
SearchPath search_path(const Flags& flags);

// The types of the keys, which the program knows and this room does not.
class TypeCheck {
 public:
  virtual ~TypeCheck() = default;
  // True if `path` has keys below it: "engine".
  virtual bool is_section(const std::string& path) const = 0;
  // Returns a resolved job with its values converted. Throws kType or kMissing.
  virtual Node converted(const Node& job) = 0;
  // Checks the resolved node `hydra`. Throws kCompose.
  virtual void check_hydra(const Node& hydra) const = 0;
};

// Throws whatever parse_override, Composer, resolve and the type check throw; in a sweep the details name the job.
Launch prepare(const Flags& flags, TypeCheck& types, const SearchPath& path);

// Composes the flags without checking or resolving the result, for display (--cfg, --info). A lenient preview (--help,
// completion) accepts a group without a choice and a sweep without -m.
enum class Strictness { kStrict, kLenient };
Composition preview(const Flags& flags, const SearchPath& path, Strictness strictness);

// The same for each job of a sweep.
struct JobPreview {
  std::vector<std::string> overrides;
  Composition composition;
};
std::vector<JobPreview> preview_jobs(const Flags& flags, const SearchPath& path);

}  // namespace roundtrip::hydra
