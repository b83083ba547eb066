#include "store/columns.h"

namespace roundtrip::store {
namespace {

constexpr auto kNumber = ColumnType::kFloat64;
constexpr auto kCount = ColumnType::kInt64;
constexpr auto kText = ColumnType::kString;

}  // namespace

std::vector<Column> axis_columns() {
  return {
      {"trial", kCount, "index of the resolved setting, as in trials/", "", "", ""},
      {"sample", kText, "the image: its path below the dataset, without extension", "", "", ""},
      {"task", kText, "reconstruct or edit", "", "", ""},
      {"method", kText, "inversion method", "", "", ""},
      {"steps", kCount, "steps of the grid, S", "", "", ""},
      {"guidance_scale", kNumber, "w of classifier-free guidance when sampling", "", "", ""},
      {"invert_guidance_scale", kNumber, "w when inverting, as it took effect", "", "", ""},
      {"eps_at", kText, "inversion evaluates at the time stepped to (t) or from (t-1)", "", "", ""},
      {"eta", kNumber, "noise of DDIM sampling: 0 none, 1 as DDPM", "", "", ""},
      {"seed", kCount, "seed of all noise", "", "", ""},
      {"model", kText, "model", "", "", ""},
      {"dataset", kText, "dataset", "", "", ""},
      {"dtype", kText, "number type of the networks", "", "", ""},
      {"input_digest", kText, "of the image's file, its prompt and its edits: the start of a SHA-256", "", "", ""},
      {"edit", kText, "target of an edit; empty for a reconstruction", "", "", ""},
  };
}

std::vector<Column> outcome_columns() {
  return {
      {"status", kText, "ok or failed", "", "", ""},
      {"error", kText, "why it failed, where (step, quantity)", "", "", ""},
  };
}

std::vector<Column> cost_columns() {
  return {
      {"invert_nfe", kCount, "network evaluations of the inversion, alone and unshared", "", "lower", ""},
      {"fit_nfe", kCount, "network evaluations of the fit", "", "lower", ""},
      {"sample_nfe", kCount, "network evaluations of the sampling", "", "lower", ""},
      {"grad_nfe", kCount, "backward passes through the network", "", "lower", ""},
      {"state_bytes", kCount, "what the method keeps from inversion to sampling", "B", "lower", ""},
      {"encode_seconds", kNumber, "image to latent", "s", "lower", ""},
      {"invert_seconds", kNumber, "latent to noise", "s", "lower", ""},
      {"fit_seconds", kNumber, "fitting embeddings or latents", "s", "lower", ""},
      {"sample_seconds", kNumber, "noise to latent", "s", "lower", ""},
      {"decode_seconds", kNumber, "latent to image", "s", "lower", ""},
      {"timing", kText, "amortised (a share of each batch) or isolated (one record at a time)", "", "", ""},
      {"batch_rows", kNumber, "mean size of the network batches that its rows rode in", "", "", ""},
      {"peak_memory_bytes", kCount, "peak memory of the record; known when timing is isolated", "B", "lower", ""},
  };
}

std::vector<Column> noise_columns() {
  return {
      {"noise_mean", kNumber, "mean of the inverted latent; white noise: 0", "", "", ""},
      {"noise_std", kNumber, "standard deviation of the inverted latent; white noise: 1", "", "", ""},
      {"noise_autocorrelation", kNumber, "correlation of neighbours in the inverted latent; white noise: 0", "", "",
       ""},
      {"noise_kl", kNumber, "KL divergence of the latent's normal fit from N(0, 1); white noise: 0", "", "lower", ""},
  };
}

std::vector<Column> table_columns(std::span<const Column> parameters, std::span<const Column> metrics) {
  std::vector<Column> all;
  const auto append = [&all](const auto& columns) { all.insert(all.end(), columns.begin(), columns.end()); };
  append(axis_columns());
  append(parameters);
  append(outcome_columns());
  append(metrics);
  append(cost_columns());
  append(noise_columns());
  return all;
}

}  // namespace roundtrip::store
