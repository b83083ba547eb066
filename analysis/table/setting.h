// What sets one cell of a sweep apart: its axes (method, steps, guidance_scale, swept parameters) with their values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"

namespace roundtrip::analysis {

// As a person writes it: "7.5", "ddim"; "-" where the axis has no value.
std::string value_text(const store::Value& value);

// Whether a value is the one that a person wrote: as numbers where both are, else as texts.
bool value_is(const store::Value& value, std::string_view written);

// NaN, "" and nothing are one value; a number orders before a text.
bool same_value(const store::Value& a, const store::Value& b);
bool value_less(const store::Value& a, const store::Value& b);
double value_number(const store::Value& value);  // NaN where it is none

using Setting = std::vector<store::Value>;  // in the order of Results::axes()

}  // namespace roundtrip::analysis
