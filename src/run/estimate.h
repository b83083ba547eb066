// Estimates the cost of a plan on this machine: seconds from a few timed batches, memory, disk.
#pragma once

#include "plan/estimate.h"
#include "plan/plan.h"

namespace roundtrip::run {

// Loads every model of the plan in turn and times full batches on it.
plan::Estimate estimate_plan(const plan::Plan& plan);

}  // namespace roundtrip::run
