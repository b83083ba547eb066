// Prompts of a network of classes: the number of a class, one of its names, or nothing for the null label.
#pragma once

#include <map>
#include <string>

#include "model/prompt_encoder.h"

namespace roundtrip::model {

class ClassLabels : public PromptEncoder {
 public:
  // `names` is id2label of model_index.json: names of one class are separated by commas, and of equal names the last
  // class counts, as in diffusers' DiTPipeline. Throws kInput, naming `where`, for a number of no class.
  ClassLabels(int64_t classes, const std::map<int64_t, std::string>& names, const std::string& where);

  // The label alone. "" is the null label, whose number is `classes`. Throws kInput for anything else.
  Encoded encode(const std::string& prompt) override;
  void check(const std::string& prompt) const override { number_of(prompt); }

  int64_t length() const override { return 0; }
  int64_t channels() const override { return 0; }

 private:
  int64_t number_of(const std::string& prompt) const;

  int64_t classes_;
  std::map<std::string, int64_t> named_;
};

}  // namespace roundtrip::model
