// A plan in words and in JSON, with what it would take where that was measured.
#pragma once

#include <optional>
#include <string>

#include "run/estimate.h"
#include "run/plan.h"

namespace roundtrip::run {

std::string plan_text(const Plan& plan, const std::optional<Estimate>& estimate = {});
std::string plan_json(const Plan& plan, const std::optional<Estimate>& estimate = {});

}  // namespace roundtrip::run
