// The record table of a plan: its columns and what it says besides them.
#pragma once

#include "plan/plan.h"
#include "store/run_store.h"

namespace roundtrip::run {

store::TableLayout table_layout(const plan::Plan& plan);

// Gives values of swept parameters the type that their columns have: a number, or text where values are mixed.
void unify_parameters(const std::vector<store::Column>& columns, store::Record& record);

}  // namespace roundtrip::run
