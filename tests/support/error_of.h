// Captures the Error that an action throws: its message, or its kind alone.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace roundtrip::testing {

// Returns the message, which must be one line of an Error of this kind; anything else fails the test.
template <typename Action>
std::string error_of(Action action, ErrorKind kind = ErrorKind::kInput) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "not one line: " << error.what();
    return error.message();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

// Returns the kind of the Error, or kInternal if nothing is thrown.
template <typename Action>
ErrorKind kind_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::kInternal;
}

}  // namespace roundtrip::testing
