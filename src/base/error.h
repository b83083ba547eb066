// The one error type of the program, and the check that stays on in release builds.
//
// A message names the place, what was found there and what was expected, in one line:
//   unet/diffusion_pytorch_model.safetensors: tensor 'conv_in.weight' has shape [32, 3, 3, 3]; expected [32, 4, 3, 3]
// Further lines (`details`) are for errors whose first line users search for, such as Hydra's.
#pragma once

#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace roundtrip {

// Decides the exit code and whether a trial may retry.
enum class ErrorKind {
  kInput,          // a file, folder or image is not what it should be           exit 1
  kUsage,          // the command line itself                                    exit 2
  kParse,          // text that does not parse: override, YAML                   exit 1
  kCompose,        // configs that do not compose                                exit 1
  kMissing,        // a missing config or mandatory value                      exit 1
  kInterpolation,  // an interpolation that does not resolve                     exit 1
  kType,           // a config value of the wrong type or out of range           exit 1
  kNumeric,        // a non-finite value: ends one sample of one trial           exit 3
  kOutOfMemory,    // the device is full: `fast` halves the batch and tries again
  kInternal,       // a broken invariant: a bug in this program
};

class Error : public std::exception {
 public:
  // `message` is one line. `details` follow on separate lines.
  Error(ErrorKind kind, std::string message, std::string details = {})
      : kind_(kind), message_(std::move(message)), details_(std::move(details)) {
    text_ = details_.empty() ? message_ : message_ + "\n" + details_;
  }

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }  // the first line
  const std::string& details() const { return details_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  ErrorKind kind_;
  std::string message_, details_, text_;
};

// Recognises the text of LibTorch's allocators on a full device, for errors of which only the text is left.
inline bool tells_of_full_memory(std::string_view text) {
  return text.find("out of memory") != text.npos || text.find("not enough memory") != text.npos;
}

// "where: found; expected ...": the usual form of an input error.
inline Error input_error(std::string_view where, std::string_view found, std::string_view expected = {}) {
  return Error(ErrorKind::kInput, expected.empty() ? fmt::format("{}: {}", where, found)
                                                   : fmt::format("{}: {}; expected {}", where, found, expected));
}

// Checks an internal invariant. User input must never break one: it gets an Error that explains itself.
inline void check(bool holds, std::string_view claim,
                  const std::source_location& at = std::source_location::current()) {
  if (!holds) {
    throw Error(ErrorKind::kInternal,
                fmt::format("{}:{}: internal check failed: {}", at.file_name(), at.line(), claim));
  }
}

// Exit code of the program: 0 ok, 1 config or input, 2 usage, 3 a trial failed.
int exit_code(ErrorKind kind);

}  // namespace roundtrip
