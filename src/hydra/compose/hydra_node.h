// The node `hydra`: how the command line and the primary config set it before anything is composed (hydra.md 1.3, 1.5,
// 1.12).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hydra/compose/compose.h"
#include "hydra/compose/search_path.h"
#include "hydra/interpolation/interpolation.h"
#include "hydra/override/override.h"

namespace roundtrip::hydra {

bool is_of_hydra(const Override& item);

// Removes the overrides that set Hydra's own groups to a supported option (hydra/job_logging=none,
// hydra/launcher=basic). Throws kCompose for any other option: plugins are Python.
std::vector<Override> without_hydra_groups(std::vector<Override> overrides);

// Adds the folders of hydra.searchpath, which the command line or the primary config may set, to `path`.
SearchPath with_searchpath(SearchPath path, const std::vector<Override>& overrides, const std::string& primary,
                           std::vector<std::string>& warnings);

// Returns hydra.sweeper.params as overrides: one grid, or several where it is a list of dicts.
std::vector<std::vector<Override>> sweeper_grids(const Node& hydra, std::vector<std::string>& warnings);

// Whether to sweep: --multirun, or hydra.mode.
bool is_multirun(const Node& hydra, bool flag, std::vector<std::string>& warnings);

// Returns hydra.job.env_set, which ${oc.env:X} reads too.
std::map<std::string, std::string> environment_of(const Node& hydra);

// Resolves the hydra node, which may refer to the keys of its job.
Node resolved_hydra(const Composition& composition, const ResolveContext& context);

// Returns the text at `path` of a resolved hydra node. Throws kType where there is none.
std::string text_at(const Node& hydra, const std::string& path);

}  // namespace roundtrip::hydra
