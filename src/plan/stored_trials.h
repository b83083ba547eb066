// The trials of a results file, from the configs that it keeps: no model is opened, no dataset read.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "hydra/tree/node.h"
#include "plan/trial.h"
#include "store/results_reader.h"

namespace roundtrip::plan {

// By number, with these keys of their configs changed; their ids are left out. Keys that are newer than the run have
// their built-in values. Throws as config::Schema::validate and read_settings do, and kInput where a record is of no
// trial.
std::vector<Trial> stored_trials(const store::ResultsReader& results,
                                 const std::map<std::string, hydra::Node>& changed);

}  // namespace roundtrip::plan
