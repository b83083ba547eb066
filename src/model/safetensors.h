// Weights from safetensors files, mapped into memory: a tensor is a view of the file, read when it is first
// touched.
//
// Format (huggingface.co/docs/safetensors): a little-endian uint64 header length, a JSON header
// {name: {dtype, shape, data_offsets: [from, to]}, "__metadata__": {text: text}}, then the data without
// holes. Everything in the header is checked when a file is opened, so that a tensor handed out lies inside
// its file. Not done: writing, formats that run code when read (.bin, .ckpt), files that shrink while they
// are mapped.
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

  // Throws kInput, naming the file and the tensor, for anything that is not a whole and consistent file.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::filesystem::path& path() const;
  const Entries& entries() const;  // by name
  const std::map<std::string, std::string>& metadata() const;

  // The tensor on the CPU, in the file's dtype. It lies in read-only memory and keeps the mapping alive:
  // clone it before an in-place operation. Misaligned data and booleans are copied. Throws kInput for an
  // unknown name.
  at::Tensor tensor(std::string_view name) const;

  // Lets go of the memory that reading the tensor took; what is read of it again comes from the file again.
  void release(std::string_view name) const;

 private:
  struct State;
  explicit SafetensorsFile(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

// All weights of one component (unet, vae, text_encoder ...), whichever way its folder stores them, with a
// record of what was read: a network that leaves weights unread was built from the wrong config.
class WeightSource {
 public:
  // `path` is a .safetensors file, a .safetensors.index.json, or a component's folder. In a folder the stem
  // is `diffusion_pytorch_model` or `model`, and the first of these forms that is there wins: one file, an
  // index of shards, the same as variant fp16, then bf16, then any other variant that is alone. Throws kInput;
  // a folder with pickled weights alone is refused.
  static WeightSource open(const std::filesystem::path& path);

  bool contains(std::string_view name) const { return file_of_.find(name) != file_of_.end(); }
  std::vector<std::string> names() const;
  std::vector<std::string> unread() const;

  // Marks the tensor as read. Throws kInput naming the file, the tensor and the nearest name for one that is
  // not there, or, in the second form, for another shape than the network's.
  at::Tensor tensor(std::string_view name);
  at::Tensor tensor(std::string_view name, at::IntArrayRef shape);

  // Lets go of the memory that reading the tensor took (SafetensorsFile::release).
  void release(std::string_view name) const;

  // Known to be of no use here (`position_ids`, ...): no longer counted as unread. Unknown names are fine.
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
