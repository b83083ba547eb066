#include "hydra/compose/merge.h"

#include "base/error.h"
#include "hydra/interpolation/interpolation.h"

namespace roundtrip::hydra {
namespace {

class Merger {
 public:
  explicit Merger(const Node& root) : root_(root) {}

  Node merged(const Node& base, const Node& over, const std::string& path) const {
    if (base.identity() == over.identity() && !base.is_null()) return base;
    if (base.is_dict() && over.is_dict()) return merged_dicts(base, over, path);
    if ((base.is_dict() && over.is_list()) || (base.is_list() && over.is_dict())) {
      const auto container = [](const Node& node) { return node.is_dict() ? "DictConfig" : "ListConfig"; };
      throw Error(ErrorKind::kType, fmt::format("Cannot merge {} with {}", container(base), container(over)),
                  fmt::format("  '{}': {} over {}", path, over.mark().text(), base.mark().text()));
    }
    return over.is_missing() ? base : over;
  }

 private:
  Node merged_dicts(const Node& base, const Node& over, const std::string& path) const {
    Node result = base;
    for (const auto& entry : over.dict()) {
      const Node* there = base.dict().find(entry.key().text);
      if (there == nullptr) {
        result.mutable_dict().set(entry.shared_key, entry.value);
        continue;
      }
      const std::string key_path = join_path(path, entry.key().text);
      const std::optional<Node> target =
          there->is_interpolation() ? referenced_container(root_, there->as_string(), key_path) : std::nullopt;
      Node value = merged(target ? *target : *there, entry.value, key_path);
      if (value.identity() != there->identity() || value.is_null()) {
        result.mutable_dict().set(entry.shared_key, std::move(value));
      }
    }
    return result;
  }

  const Node& root_;
};

}  // namespace

Node merge(const Node& base, const Node& over, const Node* root) {
  return Merger(root == nullptr ? base : *root).merged(base, over, "");
}

}  // namespace roundtrip::hydra
