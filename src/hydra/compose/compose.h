// Composes configs into one tree: the defaults list, the merge in its order, the value overrides (hydra.md 1.6 to 1.8).
// The result still contains its interpolations and ???; hydra/interpolation/interpolation.h and config/schema.h follow.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hydra/compose/search_path.h"
#include "hydra/override/override.h"
#include "hydra/tree/node.h"

namespace roundtrip::hydra {

struct DefaultsRow {
  std::string path;     // "method/ddim"
  std::string package;  // of its content; "" is the root
  bool is_self = false;
  std::string parent;  // path of the config whose list names it; "<root>" for the primary
};

struct Composition {
  Node job;    // the program's config
  Node hydra;  // the node `hydra` from configs and overrides; fill_hydra adds the rest
  std::vector<DefaultsRow> defaults;
  std::map<std::string, Node> choices;  // "method" -> ddim, "model/vae@model.codec" -> null
  std::vector<std::string> warnings;    // likely mistakes in the configs
};

struct ComposeOptions {
  bool allow_missing_groups = false;  // skip a group of ??? instead of refusing it: a sweep may set it
};

// The default values of the node `hydra` (configs/hydra/default.yaml).
Node hydra_defaults();

// Composes many jobs over one search path. Jobs that choose the same groups share that part of the work and their
// trees.
class Composer {
 public:
  Composer(SearchPath path, std::string config_name, ComposeOptions options = {});
  ~Composer();
  Composer(Composer&&) noexcept;

  // Throws kCompose, kMissing (no such config) or kParse; first lines as Hydra says them (hydra.md 1.13).
  Composition compose(const std::vector<Override>& overrides);
  Composition compose(const std::vector<const Override*>& overrides);

  const SearchPath& search_path() const;
  const std::string& config_name() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Sets choices, overrides, version, working directory, sources and override_dirname at the keys that Hydra uses.
void fill_hydra(Composition& composition, const std::vector<Override>& overrides, const SearchPath& path,
                const std::string& config_name);

}  // namespace roundtrip::hydra
