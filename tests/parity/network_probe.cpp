// Runs the networks of a model folder on given inputs, for comparison with other implementations.
//
//   network_probe FOLDER INPUTS.safetensors OUTPUTS.safetensors
//
//   input                               output
//   x [R, C, H, W], t [R],              eps [R, C, H, W], and of mean(eps^2): grad_x, grad_tokens
//     tokens [R, L, D] (if any)
//   images [N, 3, H, W]                 mean, std
//   latents [N, C, h, w]                decoded
//   prompt.K, UTF-8 bytes [n]           tokens.K [L, D]
// Every input may be absent. All of it at float32.
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/error.h"
#include "model/model_folder.h"
#include "model/safetensors.h"
#include "model/safetensors_writer.h"

namespace roundtrip::model {
namespace {

using at::Tensor;
using Tensors = std::map<std::string, Tensor>;

void probe_denoiser(const Model& model, const Tensors& inputs, Tensors& outputs) {
  Tensor x = inputs.at("x"), tokens;
  if (inputs.contains("tokens")) tokens = inputs.at("tokens");
  {
    c10::NoGradGuard no_grad;
    outputs["eps"] = model.denoiser->eps(x, inputs.at("t"), {.tokens = tokens});
  }
  x = x.clone().requires_grad_(true);
  std::vector<Tensor> wrt{x};
  if (tokens.defined()) wrt.push_back(tokens = tokens.clone().requires_grad_(true));
  const Tensor loss = model.denoiser->eps(x, inputs.at("t"), {.tokens = tokens}).square().mean();
  const std::vector<Tensor> gradients = torch::autograd::grad({loss}, wrt);
  outputs["grad_x"] = gradients[0];
  if (tokens.defined()) outputs["grad_tokens"] = gradients[1];
}

int run(const char* folder, const char* from, const char* to) {
  at::set_num_threads(2);
  const Model model = open_model({.path = folder});
  const SafetensorsFile file = SafetensorsFile::open(from);
  Tensors inputs, outputs;
  for (const auto& [name, entry] : file.entries()) inputs[name] = file.tensor(name);

  if (inputs.contains("x")) probe_denoiser(model, inputs, outputs);
  c10::NoGradGuard no_grad;
  if (inputs.contains("images")) {
    const diffusion::Codec::Posterior posterior = model.codec->encode(inputs.at("images"));
    outputs["mean"] = posterior.mean;
    if (posterior.std.defined()) outputs["std"] = posterior.std;
  }
  if (inputs.contains("latents")) outputs["decoded"] = model.codec->decode(inputs.at("latents"));
  constexpr std::string_view kPrompt = "prompt.";
  for (const auto& [name, bytes] : inputs) {
    if (!name.starts_with(kPrompt)) continue;
    const std::string prompt(reinterpret_cast<const char*>(bytes.const_data_ptr<uint8_t>()), bytes.numel());
    outputs["tokens." + name.substr(kPrompt.size())] = model.text->encode(prompt).conditioning.tokens;
  }
  write_safetensors(to, outputs);
  return 0;
}

}  // namespace
}  // namespace roundtrip::model

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: network_probe FOLDER INPUTS.safetensors OUTPUTS.safetensors\n");
    return 2;
  }
  try {
    return roundtrip::model::run(argv[1], argv[2], argv[3]);
  } catch (const roundtrip::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return roundtrip::exit_code(error.kind());
  }
}
