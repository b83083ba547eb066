#include "model/safetensors_writer.h"

#include <cstdint>
#include <cstring>
#include <fstream>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::model {
namespace {

constexpr size_t kAlignment = 8;

std::string_view dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "F64";
    case at::kFloat:
      return "F32";
    case at::kHalf:
      return "F16";
    case at::kBFloat16:
      return "BF16";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kByte:
      return "U8";
    case at::kBool:
      return "BOOL";
    default:
      return {};
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::map<std::string, at::Tensor>& tensors) {
  nlohmann::json header = nlohmann::json::object();
  std::vector<at::Tensor> data;
  uint64_t from = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::string_view dtype = dtype_name(tensor.scalar_type());
    if (dtype.empty()) {
      throw input_error(path.string(),
                        fmt::format("tensor {} is of {}", name_text(name), toString(tensor.scalar_type())),
                        "a dtype that safetensors has");
    }
    data.push_back(tensor.detach().cpu().contiguous());
    const uint64_t to = from + data.back().nbytes();
    header[name] = {{"dtype", dtype}, {"shape", tensor.sizes().vec()}, {"data_offsets", {from, to}}};
    from = to;
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const uint64_t length = text.size();
  char length_bytes[sizeof length];
  std::memcpy(length_bytes, &length, sizeof length);

  std::ofstream file(path, std::ios::binary);
  file.write(length_bytes, sizeof length).write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const at::Tensor& tensor : data) {
    file.write(static_cast<const char*>(tensor.const_data_ptr()), static_cast<std::streamsize>(tensor.nbytes()));
  }
  if (!file.flush()) throw input_error(path.string(), "cannot be written");
}

}  // namespace roundtrip::model
