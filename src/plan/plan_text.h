// A plan in words and in JSON, with what it would take where that was measured.
#pragma once

#include <optional>
#include <string>

#include "plan/estimate.h"
#include "plan/plan.h"

namespace roundtrip::plan {

std::string plan_text(const Plan& plan, const std::optional<Estimate>& estimate = {});
std::string plan_json(const Plan& plan, const std::optional<Estimate>& estimate = {});

}  // namespace roundtrip::plan
