// The two parts of `roundtrip data`: check and make.
#pragma once

#include "app/commands.h"

namespace roundtrip::app {

inline constexpr const char* kDataCheckUsage =
    "data check dataset=NAME dataset.path=PATH [model.path=MODEL] [pie.protocol=proper|released] [--json]";
inline constexpr const char* kDataMakeUsage = "data make scenes|pie-like [--count N] [--seed S] [--output DIR] ...";

// Both take the words after their own and return the exit code.
int data_check(const Words& words);
int data_make(const Words& words);

}  // namespace roundtrip::app
