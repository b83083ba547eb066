#include "data/check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace roundtrip::data {
namespace {

// A word as the lint tells it: where the prompt has it only with punctuation ("cat,"), the near form.
std::optional<std::string> with_punctuation(const std::string& word, const std::vector<std::string>& words) {
  const auto bare = [](std::string_view text) {
    const auto is_mark = [](char c) { return std::string_view(".,;:!?\"'()").find(c) != std::string_view::npos; };
    while (!text.empty() && is_mark(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_mark(text.back())) text.remove_suffix(1);
    return text;
  };
  for (const std::string& candidate : words) {
    if (!bare(word).empty() && bare(candidate) == bare(word)) return candidate;
  }
  return std::nullopt;
}

// The number of pixels that are marked, without those at the border.
size_t marked_inside(const std::vector<uint8_t>& mask, int height, int width) {
  size_t marked = 0;
  for (int y = 1; y + 1 < height; ++y) {
    for (int x = 1; x + 1 < width; ++x) marked += mask[static_cast<size_t>(y * width + x)] != 0;
  }
  return marked;
}

class Check {
 public:
  Check(const Dataset& dataset, const CheckOptions& options) : dataset_(dataset), options_(options) {
    const bool strict = options.protocol == Protocol::kProper;
    declare("unreadable-image", Level::kFault, "all records of these images fail");
    declare("refused-mask", Level::kFault, "all edits with these masks fail");
    declare("word-absent", strict ? Level::kFault : Level::kNote,
            strict ? "editors that follow words refuse these edits"
                   : "these words are ignored silently: an edit with none of its words equals the reconstruction");
    declare("word-punctuation", strict ? Level::kFault : Level::kNote,
            strict
                ? "the word stands in the prompt with punctuation only, so editors that follow words refuse these edits"
                : "the word stands in the prompt with punctuation only, so it is ignored silently");
    declare("long-prompt", Level::kFault, "editors that follow words refuse these; others run on the prompt cut short");
    declare("clipped-mask", Level::kNote, "runs of these masks go past the image and are clipped");
    declare("empty-mask", Level::kNote, "all of the image counts as background, though the edit should change it");
    declare("full-mask", Level::kNote, "these edits have no background columns");
    declare("no-mask", Level::kNote, "these edits have no background columns");
    declare("one-blend-word", Level::kNote, "these edits run without local blending; the published code stops at them");
    declare("more-blend-words", Level::kNote, "words after the second are dropped, as in the published code");
    declare("no-blend-words", Level::kNote, "these edits run without local blending");
    declare("unequal-word-counts", Level::kNote, "editor.mapper=replace refuses these edits, and auto aligns them");
    declare("double-space", Level::kNote, "an empty word: the published look-up of words is one token off behind it");
    declare("same-prompts", Level::kNote, "the target prompt is the source prompt: no edit is asked for");
    declare("no-prompt", Level::kNote, "the source prompt is empty");
    declare("no-edit", Level::kNote, "task=edit makes no record of these images");
    declare("repeated-image", Level::kNote, "the pixels are those of an earlier image, so it counts twice in means");
    declare("repeated-prompts", Level::kNote, "both prompts are those of an earlier edit");
  }

  CheckReport run() {
    for (size_t index = 0; index < dataset_.ids().size(); ++index) check_sample(index);
    report_.images = dataset_.ids().size();
    for (auto& [key, summary] : types_) report_.types.push_back(std::move(summary));
    for (Finding& finding : findings_) {
      if (!finding.places.empty()) report_.findings.push_back(std::move(finding));
    }
    return std::move(report_);
  }

 private:
  struct Where {
    std::string id, edit, type;
  };

  void declare(const char* name, Level level, const char* consequence) {
    findings_.push_back({.name = name, .level = level, .consequence = consequence});
  }

  void found(const char* name, const Where& where, std::string detail = {}) {
    const auto finding = std::ranges::find(findings_, name, &Finding::name);
    check(finding != findings_.end(), fmt::format("the finding '{}' is declared", name));
    finding->places.push_back({where.id, where.edit, where.type, std::move(detail)});
  }

  void check_sample(size_t index) {
    const Where where{dataset_.ids()[index], "", ""};
    std::optional<Sample> sample;
    try {
      sample = dataset_.read(index);
    } catch (const Error& error) {
      found("unreadable-image", where, error.message());
    }
    if (sample) check_repeated_image(sample->pixels, where);
    const std::vector<EditName> edits = dataset_.edits(index);
    if (edits.empty()) {
      found("no-edit", where);
      check_prompt(dataset_.prompt(index), "source", where);
    }
    for (size_t number = 0; number < edits.size(); ++number) check_edit(index, number, edits[number], sample);
  }

  void check_repeated_image(const Image& image, const Where& where) {
    Hasher hasher;
    hasher.add(int64_t{image.height}).add(int64_t{image.width}).add_bytes(std::as_bytes(std::span(image.rgb)));
    const auto [first, is_new] = image_of_.emplace(hasher.hex(), where.id);
    if (!is_new) found("repeated-image", where, fmt::format("as {}", first->second));
  }

  void check_edit(size_t index, size_t number, const EditName& edit, const std::optional<Sample>& sample) {
    const auto attribute = [&](const char* key) {
      const auto value = edit.attributes.find(key);
      return value == edit.attributes.end() ? std::string() : value->second;
    };
    const Where where{dataset_.ids()[index], edit.name, attribute("type")};
    TypeSummary& summary = types_[{where.type.size(), where.type}];
    summary.type = where.type;
    summary.name = attribute("type_name");
    ++summary.edits;
    ++report_.edits;
    const std::string source = dataset_.prompt(index);
    const std::vector<std::string> from = split(source, ' '), to = split(edit.target_prompt, ' ');
    check_prompt(source, "source", where);
    check_prompt(edit.target_prompt, "target", where);
    if (source == edit.target_prompt) found("same-prompts", where);
    const auto [first, is_new] = prompts_of_.emplace(std::pair(source, edit.target_prompt), where.id);
    if (!is_new) found("repeated-prompts", where, fmt::format("as {}", first->second));
    if (from.size() == to.size()) {
      ++summary.equal_counts;
    } else {
      found("unequal-word-counts", where, fmt::format("{} and {}", from.size(), to.size()));
    }
    check_words(edit, from, to, where, summary);
    if (sample) check_mask(index, number, *sample, where, summary);
  }

  void check_prompt(const std::string& prompt, const char* which, const Where& where) {
    if (prompt.empty()) {
      if (std::string_view(which) == "source") found("no-prompt", where);
      return;
    }
    if (prompt.find("  ") != prompt.npos || prompt.front() == ' ' || prompt.back() == ' ') {
      found("double-space", where, fmt::format("{} prompt {}", which, name_text(prompt)));
    }
    if (!options_.tokens) return;
    const int64_t tokens = options_.tokens(prompt);
    if (tokens > options_.max_tokens) found("long-prompt", where, fmt::format("{} prompt: {} tokens", which, tokens));
  }

  void check_words(const EditName& edit, const std::vector<std::string>& from, const std::vector<std::string>& to,
                   const Where& where, TypeSummary& summary) {
    const EditWords& words = edit.words;
    const bool blends = !words.blend_source.empty() || !words.blend_target.empty();
    summary.with_words += blends;
    if (edit.blend_words_given && !blends) {
      found("one-blend-word", where);
    } else if (!blends) {
      found("no-blend-words", where);
    }
    if (edit.blend_words_given > size_t{2})
      found("more-blend-words", where, fmt::format("{}", *edit.blend_words_given));
    for (const std::string& word : words.blend_source) check_word(word, "source", from, where);
    for (const std::string& word : words.blend_target) check_word(word, "target", to, where);
    for (const auto& [word, factor] : words.equalizer) {
      if (std::ranges::find(words.blend_target, word) == words.blend_target.end()) {
        check_word(word, "target", to, where);
      }
    }
  }

  void check_word(const std::string& word, const char* which, const std::vector<std::string>& words,
                  const Where& where) {
    if (std::ranges::find(words, word) != words.end()) return;
    if (const std::optional<std::string> near = with_punctuation(word, words)) {
      found("word-punctuation", where, fmt::format("'{}'; the {} prompt has '{}'", word, which, *near));
    } else {
      found("word-absent", where,
            fmt::format("'{}' is not in the {} prompt.{}", word, which, did_you_mean(word, words)));
    }
  }

  void check_mask(size_t index, size_t number, const Sample& sample, const Where& where, TypeSummary& summary) {
    EditTruth truth;
    try {
      truth = dataset_.read_edit(index, number, sample.stored);
    } catch (const Error& error) {
      found("refused-mask", where, error.message());
      return;
    }
    if (!truth.mask) {
      found("no-mask", where);
      return;
    }
    ++summary.with_mask;
    if (truth.overruns > 0) found("clipped-mask", where, fmt::format("{} runs", truth.overruns));
    const auto marked = static_cast<size_t>(std::ranges::count(*truth.mask, 1));
    if (marked == truth.mask->size()) {
      ++summary.full_masks;
      found("full-mask", where);
    } else if (marked_inside(*truth.mask, sample.pixels.height, sample.pixels.width) == 0) {
      found("empty-mask", where);
    }
  }

  const Dataset& dataset_;
  const CheckOptions& options_;
  CheckReport report_;
  std::vector<Finding> findings_;
  std::map<std::pair<size_t, std::string>, TypeSummary> types_;  // by length first: "9" before "10"
  std::map<std::string, std::string> image_of_;                  // by digest of the pixels
  std::map<std::pair<std::string, std::string>, std::string> prompts_of_;
};

}  // namespace

bool CheckReport::has_faults() const {
  return std::ranges::any_of(findings, [](const Finding& finding) { return finding.level == Level::kFault; });
}

CheckReport check_dataset(const Dataset& dataset, const CheckOptions& options) { return Check(dataset, options).run(); }

}  // namespace roundtrip::data
