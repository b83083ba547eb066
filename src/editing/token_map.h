// Mappers of Prompt-to-Prompt: which columns of the source's cross-attention a column of the target's is made of.
//
// Hertz et al., Prompt-to-Prompt, ICLR 2023, section 3.2: word swap (Replace) and prompt refinement (Refine). With
// A_src [pixels, L], the target's map is A_src P where `known`, and its own elsewhere. The paper leaves open how words
// of several tokens map; that is from the published code. No row is normalised again. Steps and factors are
// cross_edit.h's.
#pragma once

#include <ATen/ATen.h>

#include "text/prompt_tokens.h"

namespace roundtrip::editing {

struct TokenMap {
  at::Tensor P;      // [L, L] float32, source column to target column
  at::Tensor known;  // [L] float32, 1 where a target column has source columns
};

// Mapping of the columns after the last change, if the prompts differ in length. kShifted maps a column to the source's
// same word or padding. kReleased maps column n to n, as the published code does: Replace then reads the words after
// the last changed one from the wrong columns, and Refine reads the first padding columns of a shorter target from
// words of the source.
enum class Tail { kShifted, kReleased };

// True where both prompts have the same number of words, which Replace needs.
bool can_replace(const text::PromptTokens& source, const text::PromptTokens& target);

// Replace: word k of the target gets the attention of word k of the source; `known` is 1 throughout. Tokens of a
// changed word map one to one where both words have as many; otherwise each token of the target's word, which has |T|,
// gets 1/|T| of the sum over the source's. With kShifted and fewer tokens in the target, the last columns of its
// padding get nothing: the source has no columns left. Throws kInput for unequal numbers of words, a changed word
// without tokens, and a prompt with more than L tokens.
TokenMap replace_map(const text::PromptTokens& source, const text::PromptTokens& target, Tail tail);

// Refine: a token of the target that aligns with one of the source gets that one's attention; the others are not known.
// Throws kInput for a prompt with more than L tokens.
TokenMap refine_map(const text::PromptTokens& source, const text::PromptTokens& target, Tail tail);

}  // namespace roundtrip::editing
