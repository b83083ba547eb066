#include "model/weight_scope.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::model {

WeightScope::WeightScope(WeightSource& source, at::TensorOptions options, std::string prefix)
    : source_(&source), options_(options), prefix_(std::move(prefix)) {}

std::string WeightScope::full_name(std::string_view name) const { return fmt::format("{}{}", prefix_, name); }

WeightScope WeightScope::operator/(std::string_view name) const { return {*source_, options_, full_name(name) + "."}; }

WeightScope WeightScope::operator/(int64_t index) const { return *this / std::to_string(index); }

std::string WeightScope::name() const { return prefix_.empty() ? prefix_ : prefix_.substr(0, prefix_.size() - 1); }

bool WeightScope::contains(std::string_view name) const { return source_->contains(full_name(name)); }

at::Tensor WeightScope::brought_over(const at::Tensor& found, const std::string& name, at::MemoryFormat format) const {
  at::Tensor own = at::empty(found.sizes(), options_.memory_format(format));
  own.copy_(found);
  source_->release(name);
  return own;
}

at::Tensor WeightScope::tensor(std::string_view name, at::IntArrayRef shape, at::MemoryFormat format) const {
  const std::string full = full_name(name);
  return brought_over(source_->tensor(full, shape), full, format);
}

at::Tensor WeightScope::matrix(std::string_view name, int64_t out, int64_t in) const {
  const std::string full = full_name(name);
  const at::Tensor found = source_->tensor(full);
  if (found.sizes() != at::IntArrayRef{out, in, 1, 1}) return tensor(name, {out, in});
  return brought_over(found.view({out, in}), full, at::MemoryFormat::Contiguous);
}

void refuse_unread(const WeightSource& source) {
  const std::vector<std::string> unread = source.unread();
  if (unread.empty()) return;
  const std::string more = unread.size() == 1 ? "" : fmt::format(" and {} more", unread.size() - 1);
  throw input_error(source.where(),
                    fmt::format("tensor {}{} that the config has no layer for", name_text(unread.front()), more),
                    "the weights of the network that config.json describes");
}

}  // namespace roundtrip::model
