// `data check`: what is in a dataset of edits, and what each of its faults does to a run.
//
// Every image and mask is read once, at its own size. Network, model and editor are not needed; a tokenizer is, for the
// exact length of prompts, and comes as a function.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace roundtrip::data {

// How words that a prompt lacks are taken (editor.words): the published code ignores them, and ours refuses them unless
// told otherwise.
enum class Protocol { kProper, kReleased };

struct CheckOptions {
  Protocol protocol = Protocol::kProper;
  std::function<int64_t(const std::string&)> tokens = {};  // of a prompt, with the begin and the end mark
  int64_t max_tokens = 77;
  std::string tokenizer = {};  // what counts: "the tokenizer of MODEL"
};

enum class Level {
  kFault,  // records fail
  kNote,   // records are made, but not as one may expect
};

// One kind of fault with the places where it was found.
struct Finding {
  std::string name;  // "word-absent"
  Level level = Level::kNote;
  std::string consequence = {};  // "editors that follow words refuse these edits"
  struct Place {
    std::string id, edit, type, detail;  // `edit` and `type` are empty where the finding is the image's
  };
  std::vector<Place> places = {};
};

// Edits of one type.
struct TypeSummary {
  std::string type, name;  // "9", "change_style"; empty where the dataset has no types
  size_t edits = 0;
  size_t with_words = 0;    // with blend words
  size_t equal_counts = 0;  // as many words in the target prompt as in the source prompt: Replace is possible
  size_t with_mask = 0;
  size_t full_masks = 0;
};

struct CheckReport {
  size_t images = 0, edits = 0;
  std::vector<TypeSummary> types;  // in the order of their names as numbers or texts
  std::vector<Finding> findings;   // faults first; those without a place are left out
  bool has_faults() const;
};

CheckReport check_dataset(const Dataset& dataset, const CheckOptions& options);

// A table for readers and one JSON object. `title` is the dataset as it was asked for.
std::string check_text(const CheckReport& report, const CheckOptions& options, const std::string& title);
std::string check_json(const CheckReport& report, const CheckOptions& options, const std::string& title);

}  // namespace roundtrip::data
