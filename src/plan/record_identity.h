// Names of a record's edit and a digest of its inputs: with the trial's id, what a record is known by from run to run.
#pragma once

#include <string>

#include "data/dataset.h"

namespace roundtrip::plan {

// The column `edit`.
std::string edit_text(const data::EditName& edit);

// The column `edit_type`, by which tables are split; empty if the dataset does not tell types apart.
std::string edit_type(const data::EditName& edit);

// The column `input_digest`: over a sample's image, prompt and edits.
std::string short_digest(const data::Dataset& dataset, size_t sample);

}  // namespace roundtrip::plan
