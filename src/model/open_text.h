// Opens the part of a model folder that makes prompts into conditioning: towers of CLIP and T5, a table of embeddings,
// or the names of classes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "model/component_folder.h"
#include "model/model_index.h"
#include "model/network.h"
#include "model/prompt_encoder.h"

namespace roundtrip::model {

// `t5_tokens` as in ModelOptions. Throws kInput, naming the file, for components that are not what the network reads,
// and kType for a length of T5 prompts where nothing reads T5.
std::unique_ptr<PromptEncoder> open_text(ComponentFolder& folder, const ModelIndex& index, const Network::Facts& facts,
                                         std::optional<int64_t> t5_tokens, at::TensorOptions options);

// Throws kType for a length of T5 prompts where a network of these facts reads no T5.
void check_t5_tokens(const ComponentFolder& folder, const Network::Facts& facts, std::optional<int64_t> t5_tokens);

}  // namespace roundtrip::model
