// The columns of the record table that every run has; what a run adds to them (swept parameters, metrics) it
// gives.
#pragma once

#include <span>
#include <vector>

#include "store/record.h"

namespace roundtrip::store {

// Which setting and which image: trial sample task method steps guidance_scale ... edit.
std::vector<Column> axis_columns();

// status ("ok" or "failed") and error (one line).
std::vector<Column> outcome_columns();

// Network evaluations, seconds by stage, memory, how they were timed.
std::vector<Column> cost_columns();

// How far the inverted latent is from white noise.
std::vector<Column> noise_columns();

// All of a run's columns in the table's order: axes, swept parameters (`p.<key>`), outcome, metrics, cost,
// noise.
std::vector<Column> table_columns(std::span<const Column> parameters, std::span<const Column> metrics);

}  // namespace roundtrip::store
