// attribute_accuracy: the share of a scene's caption that a classifier finds in the picture.
//
// It counts the background, the size, colour and shape of each object at its place, and, as one more item, that the
// other places are empty. The classifier is a TorchScript module [N, 3, H, W] on [-1, 1] -> [N, answers of all heads].
// Its extra file attributes.json names the heads and their answers, so that the caption is read in the classifier's own
// words. models/scenes/README.md gives its error rate. A caption that names none of these scores NaN.
#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "metrics/module_metric.h"

namespace roundtrip::metrics {
namespace {

constexpr int64_t kUnnamed = -1;
constexpr const char* kNothing = "nothing";

struct Head {
  std::string kind;   // "size", "colour", "shape"; "background"
  std::string place;  // "on the left"; empty for the background
  std::vector<std::string> answers;

  std::optional<int64_t> answer(std::string_view word) const {
    const auto found = std::ranges::find(answers, word);
    return found == answers.end() ? std::nullopt : std::optional(found - answers.begin());
  }
};

std::vector<Head> read_heads(const NotedModule& module) {
  std::vector<Head> heads;
  try {
    for (const nlohmann::json& head : module.note().at("heads")) {
      heads.push_back({.kind = head.at("kind"), .place = head.at("place"), .answers = head.at("answers")});
    }
  } catch (const nlohmann::json::exception&) {
    heads.clear();
  }
  if (heads.empty()) throw module.complaint("its attributes.json has no list 'heads' of kind, place and answers");
  return heads;
}

// Words before `end`, last first.
std::vector<std::string_view> words_before(std::string_view text, size_t end) {
  std::vector<std::string_view> words;
  text = text.substr(0, end);
  while (!(text = trim(text)).empty()) {
    const size_t blank = text.rfind(' ');
    const size_t from = blank == std::string_view::npos ? 0 : blank + 1;
    words.push_back(text.substr(from));
    text = text.substr(0, from);
  }
  return words;
}

class AttributeAccuracy : public ModuleMetric {
 public:
  AttributeAccuracy(const MetricInfo& info, const config::Params& params, at::Device device)
      : ModuleMetric(info, params, device,
                     {.note = "attributes.json",
                      .expected = "a classifier written by models/scenes/export.py",
                      .remedy = "the classifier of scenes is models/scenes/attributes.pt"}) {
    if (!module_) return;
    heads_ = read_heads(*module_);
    info_.version = "1, classifier " + module_->noted("version");
  }

  // [heads]: the answer of each head that the caption names, kUnnamed for other heads.
  Tensor encode_caption(const std::string& caption) const override {
    Tensor answers = at::full({std::max<int64_t>(1, std::ssize(heads_))}, kUnnamed, at::kLong);
    for (size_t h = 0; h < heads_.size(); ++h) {
      const Head& head = heads_[h];
      const size_t at = caption.find(head.place.empty() ? " " + head.kind : " " + head.place);
      std::optional<int64_t> answer;
      if (at == std::string::npos) {
        answer = head.answer(kNothing);
      } else {
        // "a small red circle on the left", "on a green background": the place or the kind follows the words.
        for (const std::string_view word : words_before(caption, at)) {
          if (word == "a" || answer) break;
          answer = head.answer(word);
        }
      }
      if (answer) answers[static_cast<int64_t>(h)] = *answer;
    }
    return answers;
  }

 private:
  Tensor score_by_module(const Inputs& inputs) override {
    const Tensor &wanted = inputs.caption, &test = inputs.test;
    int64_t answers = 0;
    for (const Head& head : heads_) answers += std::ssize(head.answers);
    const Tensor logits = answer({2 * test.to(at::kFloat) - 1}, {test.size(0), answers});
    const auto options = test.options().dtype(at::kDouble);
    Tensor right = at::zeros({test.size(0)}, options), named = at::zeros({test.size(0)}, options);
    Tensor empty = at::ones({test.size(0)}, options.dtype(at::kBool)), has_empty = empty.logical_not();
    int64_t from = 0;
    for (int64_t h = 0; h < std::ssize(heads_); ++h) {
      const Head& head = heads_[h];
      const Tensor found = logits.narrow(1, from, std::ssize(head.answers)).argmax(1);
      from += std::ssize(head.answers);
      const Tensor want = wanted.select(1, h);
      const Tensor is_nothing = want == head.answer(kNothing).value_or(kUnnamed - 1);
      const Tensor counts = (want != kUnnamed).logical_and(is_nothing.logical_not());
      named += counts;
      right += counts.logical_and(found == want);
      has_empty = has_empty.logical_or(is_nothing);
      empty = empty.logical_and(is_nothing.logical_not().logical_or(found == want));
    }
    // A caption that names no object does not describe a scene: the places that it leaves empty do not count.
    const Tensor is_caption = named > 0;
    named += has_empty;
    right += has_empty.logical_and(empty);
    return (right / named).masked_fill(is_caption.logical_not(), std::nan(""));
  }

  std::vector<Head> heads_;
};

const Registered<Metric, AttributeAccuracy> attribute_accuracy(
    {.name = "attribute_accuracy",
     .label = "attribute accuracy",
     .long_name = "share of the caption's attributes that a classifier of scenes finds in the picture",
     .direction = Direction::kHigherIsBetter,
     .wants = {.caption = true},
     .order = 3});

}  // namespace
}  // namespace roundtrip::metrics
