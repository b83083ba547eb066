// Setting of a cell in a sweep: its axes (method, steps, guidance_scale, swept parameters) with their values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/record.h"

namespace roundtrip::analysis {

// Formats a value as a person writes it: "7.5", "ddim"; "-" if the axis has no value.
std::string value_text(const store::Value& value);

// Compares a value with a person's text: as numbers if both are, else as texts.
bool value_is(const store::Value& value, std::string_view written);

// Orders values: NaN, "" and null are equal; a number orders before a text.
bool same_value(const store::Value& a, const store::Value& b);
bool value_less(const store::Value& a, const store::Value& b);
double value_number(const store::Value& value);  // NaN if not a number

using Setting = std::vector<store::Value>;  // in the order of Results::axes()

}  // namespace roundtrip::analysis
