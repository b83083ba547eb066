// Weights from memory-mapped safetensors files: a tensor is a view of the file, read when it is first touched.
//
// Format (huggingface.co/docs/safetensors): a little-endian uint64 header length, a JSON header {name: {dtype, shape,
// data_offsets: [from, to]}, "__metadata__": {text: text}}, then the data without holes. The whole header is checked
// when a file is opened, so that a returned tensor is always inside its file. Not done: writing, formats that run code
// when read (.bin, .ckpt), files that shrink while they are mapped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>

namespace roundtrip::model {

// One file. Copies share the mapping.
class SafetensorsFile {
 public:
  struct Entry {
    at::ScalarType dtype;
    std::vector<int64_t> shape;
    uint64_t from = 0, to = 0;  // bytes, counted from the end of the header
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  // Throws kInput, naming the file and the tensor, for anything that is not a complete and consistent file.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const;
  const Entries& entries() const;  // by name
  const std::map<std::string, std::string>& metadata() const;

  // Returns the tensor on the CPU, in the file's dtype. It uses read-only memory and keeps the mapping alive: clone it
  // before an in-place operation. Misaligned data and booleans are copied. Throws kInput for an unknown name.
  at::Tensor tensor(std::string_view name) const;

  // Releases the memory that reading the tensor took. A later read goes to the file again.
  void release(std::string_view name) const;

 private:
  struct State;
  explicit SafetensorsFile(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// All weights of one component (unet, vae, text_encoder ...), however its folder stores them, and a record of which
// were read: a network that leaves weights unread was built from the wrong config.
class WeightSource {
 public:
  // `path` is a .safetensors file, a .safetensors.index.json, or a component's folder. In a folder the stem is
  // `diffusion_pytorch_model` or `model`, and the first of these forms that exists wins: one file, an index of shards,
  // the same as variant fp16, then bf16, then a single other variant. Throws kInput. A folder with only pickled weights
  // is refused.
  static WeightSource open(const std::filesystem::path& path);

  bool contains(std::string_view name) const { return file_of_.find(name) != file_of_.end(); }
  std::vector<std::string> names() const;
  std::vector<std::string> unread() const;

  // Returns the tensor and marks it as read. Throws kInput, naming the file, the tensor and the nearest name, if it is
  // missing or, in the second form, if its shape is not the network's.
  at::Tensor tensor(std::string_view name);
  at::Tensor tensor(std::string_view name, at::IntArrayRef shape);

  // Releases the memory that reading the tensor took (SafetensorsFile::release).
  void release(std::string_view name) const;

  // Stops counting a tensor that is not needed here (`position_ids`, ...) as unread. Unknown names are fine.
  void ignore(std::string_view name);

  const std::string& where() const { return where_; }                         // the path for messages
  const std::vector<std::filesystem::path>& files() const { return paths_; }  // for provenance

 private:
  std::string where_;
  std::vector<std::filesystem::path> paths_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, size_t, std::less<>> file_of_;  // tensor -> index into files_
  std::set<std::string, std::less<>> read_;
};

}  // namespace roundtrip::model
