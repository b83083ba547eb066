// What stands under `hydra`: its types and documentation, and how the command line and the primary config shape it
// before anything is composed (hydra.md 1.3, 1.5, 1.12).
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

// The overrides without those that name Hydra's own groups as they are (hydra/job_logging=none, hydra/launcher=basic).
// Throws kCompose for any other option of them: plugins are Python.
std::vector<Override> without_hydra_groups(std::vector<Override> overrides);

// `path` with the folders of hydra.searchpath, which the command line or the primary config may name.
SearchPath with_searchpath(SearchPath path, const std::vector<Override>& overrides, const std::string& primary,
                           std::vector<std::string>& warnings);

// hydra.sweeper.params as overrides: one grid, or several where it is a list of dicts.
std::vector<std::vector<Override>> sweeper_grids(const Node& hydra, std::vector<std::string>& warnings);

// Whether to sweep: --multirun, or hydra.mode.
bool is_multirun(const Node& hydra, bool flag, std::vector<std::string>& warnings);

// hydra.job.env_set, which ${oc.env:X} sees too.
std::map<std::string, std::string> environment_of(const Node& hydra);

// The hydra node resolved beside the job it belongs to, which it may refer to.
Node resolved_hydra(const Composition& composition, const ResolveContext& context);

// The text at `path` of a resolved hydra node. Throws kType where none is there.
std::string text_at(const Node& hydra, const std::string& path);

}  // namespace roundtrip::hydra
