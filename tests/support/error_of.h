// The message of the Error that an action throws; anything else fails the test.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "base/error.h"

namespace roundtrip::testing {

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

}  // namespace roundtrip::testing
