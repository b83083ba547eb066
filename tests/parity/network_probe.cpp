// Runs the networks of model folders on given inputs, for comparison with other implementations.
//
//   network_probe DTYPE FOLDER...
//
// reads FOLDER/in.safetensors and writes FOLDER/out.safetensors:
//   input                               output
//   x [R, C, H, W], t [R],              eps [R, C, H, W], and of mean(eps^2): grad_x, grad_tokens
//     tokens [R, L, D], pooled [R, P],
//     size_ids [R, 6] (each if any)
//   images [N, 3, H, W]                 mean, std
//   latents [N, C, h, w]                decoded
//   prompt.K, UTF-8 bytes [n]           tokens.K [L, D], pooled.K [P] (if any)
//   x.K, t.K                            eps.K (a flow's v), conditioned on prompt.K (on prompt.0 where there is none,
//   if
//                                         any); a distilled network is told the guidance scale 1, or guidance.K []
//   repeats []                          seconds.text, .encode, .decode, .eps.K: the least of so many
// Every input may be absent. What a folder is refused with is written to FOLDER/error.txt. ROUNDTRIP_THREADS: 1,
// because the networks of tests are small and threads would wait for each other.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"
#include "base/heap.h"
#include "base/stopwatch.h"
#include "model/model_folder.h"
#include "model/safetensors.h"
#include "model/safetensors_writer.h"

namespace roundtrip::model {
namespace {

namespace fs = std::filesystem;
using at::Tensor;
using Tensors = std::map<std::string, Tensor>;

Tensor find(const Tensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? Tensor() : found->second;
}

// The answers to one folder's inputs.
struct Answers {
  Tensors outputs;
  int64_t repeats = 0;

  // Does the work once, or as often as it is to be timed.
  template <typename Work>
  auto timed(const std::string& name, Work work) {
    double least = std::numeric_limits<double>::infinity();
    auto result = work();
    for (int64_t k = 0; k < repeats; ++k) {
      const Stopwatch watch;
      result = work();
      least = std::min(least, watch.seconds());
    }
    if (repeats > 0) outputs["seconds." + name] = at::tensor(least, at::kDouble);
    return result;
  }
};

void probe_denoiser(const Model& model, const Tensors& inputs, Tensors& outputs) {
  Tensor x = inputs.at("x");
  diffusion::Conditioning conditioning{
      .tokens = find(inputs, "tokens"), .pooled = find(inputs, "pooled"), .size_ids = find(inputs, "size_ids")};
  {
    c10::NoGradGuard no_grad;
    outputs["eps"] = model.denoiser->out({x, inputs.at("t").to(at::kDouble), conditioning});
  }
  x = x.clone().requires_grad_(true);
  std::vector<Tensor> wrt{x};
  if (conditioning.tokens.defined()) {
    conditioning.tokens = conditioning.tokens.clone().requires_grad_(true);
    wrt.push_back(conditioning.tokens);
  }
  const Tensor loss = model.denoiser->out({x, inputs.at("t").to(at::kDouble), conditioning}).square().mean();
  const std::vector<Tensor> gradients = torch::autograd::grad({loss}, wrt);
  outputs["grad_x"] = gradients[0];
  if (wrt.size() > 1) outputs["grad_tokens"] = gradients[1];
}

std::map<std::string, diffusion::Conditioning> probe_prompts(const Model& model, const Tensors& inputs,
                                                             Answers& answers) {
  constexpr std::string_view kPrompt = "prompt.";
  std::map<std::string, diffusion::Conditioning> encoded;
  for (const auto& [name, bytes] : inputs) {
    if (!name.starts_with(kPrompt)) continue;
    const std::string k = name.substr(kPrompt.size());
    const std::string prompt(reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()), bytes.numel());
    encoded[k] = answers.timed("text", [&] { return model.text->encode(prompt).conditioning; });
    if (encoded[k].tokens.defined()) answers.outputs["tokens." + k] = encoded[k].tokens;
    if (encoded[k].pooled.defined()) answers.outputs["pooled." + k] = encoded[k].pooled;
  }
  return encoded;
}

void probe_rows(const Model& model, const Tensors& inputs,
                const std::map<std::string, diffusion::Conditioning>& prompts, Answers& answers) {
  constexpr std::string_view kX = "x.";
  for (const auto& [name, x] : inputs) {
    if (!name.starts_with(kX)) continue;
    const std::string k = name.substr(kX.size());
    diffusion::Conditioning row;
    if (!prompts.empty()) {
      const diffusion::Conditioning& prompt = prompts.contains(k) ? prompts.at(k) : prompts.at("0");
      const double w = inputs.contains("guidance." + k) ? inputs.at("guidance." + k).item<double>() : 1;
      const diffusion::Conditioning asked = diffusion::guided(model.guidance, {prompt, prompt}, w).conditional;
      row = diffusion::stack({&asked});
    }
    answers.outputs["eps." + k] = answers.timed(
        "eps." + k, [&, &x = x] { return model.denoiser->out({x, inputs.at("t." + k).to(at::kDouble), row}); });
  }
}

void probe(const fs::path& folder, const std::string& dtype) {
  const Model model = open_model({.path = folder, .dtype = dtype});
  const SafetensorsFile file = SafetensorsFile::open(folder / "in.safetensors");
  Tensors inputs;
  for (const auto& [name, entry] : file.entries()) inputs[name] = file.tensor(name);
  Answers answers;
  if (inputs.contains("repeats")) answers.repeats = inputs.at("repeats").item<int64_t>();

  if (inputs.contains("x")) probe_denoiser(model, inputs, answers.outputs);
  c10::NoGradGuard no_grad;
  if (inputs.contains("images")) {
    const auto posterior = answers.timed("encode", [&] { return model.codec->encode(inputs.at("images")); });
    answers.outputs["mean"] = posterior.mean;
    if (posterior.std.defined()) answers.outputs["std"] = posterior.std;
  }
  if (inputs.contains("latents")) {
    answers.outputs["decoded"] = answers.timed("decode", [&] { return model.codec->decode(inputs.at("latents")); });
  }
  probe_rows(model, inputs, probe_prompts(model, inputs, answers), answers);
  write_safetensors(folder / "out.safetensors", answers.outputs);
}

}  // namespace
}  // namespace roundtrip::model

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: network_probe DTYPE FOLDER...\n");
    return 2;
  }
  roundtrip::keep_freed_memory();  // as the program does
  const char* threads = std::getenv("ROUNDTRIP_THREADS");
  at::set_num_threads(threads ? std::max(1, std::atoi(threads)) : 1);
  for (int k = 2; k < argc; ++k) {
    const std::filesystem::path folder = argv[k];
    try {
      roundtrip::model::probe(folder, argv[1]);
    } catch (const roundtrip::Error& error) {
      std::ofstream(folder / "error.txt") << error.what() << '\n';
    }
  }
  return 0;
}
