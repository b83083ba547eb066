// Attention over a picture's tokens and a text's tokens together, each with projections of its own (Esser et al.,
// "Scaling rectified flow transformers", ICML 2024, figure 2; the MMDiT of SD3, and FLUX's blocks).
//
// The order of the two in the sequence does not change the result: the attention has no positions but those of the
// rotary embedding, which goes with the tokens. The text comes first here.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "model/attention.h"
#include "model/rotary_embedding.h"

namespace roundtrip::model {

// Queries, keys and values of one kind of tokens, from one matrix product; queries and keys normed by head if the
// network does so.
struct HeadProjections {
  struct Names {
    std::string_view q, k, v, norm_q, norm_k;
  };
  struct Heads {
    Tensor q, k, v;  // [N, T, heads, d]
  };

  Linear qkv;
  std::optional<RmsNorm> norm_q, norm_k;
  HeadShape shape;

  HeadProjections(const WeightScope& weights, const Names& names, int64_t channels, HeadShape shape, bool normed,
                  bool has_bias = true);
  Heads operator()(const Tensor& x) const;  // [N, T, C]
};

// The names of a picture's projections below an attention's own name, and of a text's.
inline constexpr HeadProjections::Names kPictureNames{
    .q = "to_q", .k = "to_k", .v = "to_v", .norm_q = "norm_q", .norm_k = "norm_k"};
inline constexpr HeadProjections::Names kTextNames{
    .q = "add_q_proj", .k = "add_k_proj", .v = "add_v_proj", .norm_q = "norm_added_q", .norm_k = "norm_added_k"};

// softmax(q k^T / sqrt(d) + bias) v, after `rotation` of q and k, if any.
Tensor attend(HeadProjections::Heads heads, const RotaryEmbedding* rotation = nullptr,
              const Tensor& bias = {});  // -> [N, T, heads d]

// Tokens of one kind attend to themselves.
struct NormedSelfAttention {
  HeadProjections projections;
  Linear out;

  NormedSelfAttention(const WeightScope& weights, int64_t channels, HeadShape shape, bool normed);
  Tensor operator()(const Tensor& x) const;  // [N, T, C]
};

struct JointAttention {
  HeadProjections picture, text;
  Linear picture_out;
  std::optional<Linear> text_out;  // none in a last block, whose text nobody reads

  JointAttention(const WeightScope& weights, int64_t channels, HeadShape shape, bool normed, bool is_last);

  // [N, T, C], [N, L, C] -> the same; the second undefined in a last block. `rotation` is of L + T tokens, if any;
  // `bias` [L + T], if defined, is added to the scores of the tokens as keys.
  std::pair<Tensor, Tensor> operator()(const Tensor& x, const Tensor& context, const RotaryEmbedding* rotation,
                                       const Tensor& bias = {}) const;
};

}  // namespace roundtrip::model
