// Record table of a plan: its columns and attributes.
#pragma once

#include "plan/plan.h"
#include "store/run_store.h"

namespace roundtrip::run {

store::TableLayout table_layout(const plan::Plan& plan);

// Converts values of swept parameters to the type of their columns: a number, or text for mixed types.
void unify_parameters(const std::vector<store::Column>& columns, store::Record& record);

}  // namespace roundtrip::run
