#include "hydra/tree/node.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <optional>
#include <span>
#include <variant>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip::hydra {

struct Node::Cell {
  std::variant<std::monostate, bool, int64_t, double, std::string, List, Dict> value;
  Mark mark;
  // Cached bits of contents(), or -1. Atomic, for trees that threads share.
  mutable std::atomic<int8_t> contents{-1};

  Cell() = default;
  Cell(decltype(value) value_in, Mark mark_in) : value(std::move(value_in)), mark(std::move(mark_in)) {}
  Cell(const Cell& other) : value(other.value), mark(other.mark) {}
};

std::string Mark::text() const {
  if (!file) return {};
  return line == 0 ? *file : fmt::format("{}:{}", *file, line);
}

Node::Node(bool value, Mark mark) : cell_(std::make_shared<Cell>(value, std::move(mark))) {}
Node::Node(int64_t value, Mark mark) : cell_(std::make_shared<Cell>(value, std::move(mark))) {}
Node::Node(double value, Mark mark) : cell_(std::make_shared<Cell>(value, std::move(mark))) {}
Node::Node(std::string value, Mark mark) : cell_(std::make_shared<Cell>(std::move(value), std::move(mark))) {}
Node::Node(List value, Mark mark) : cell_(std::make_shared<Cell>(std::move(value), std::move(mark))) {}
Node::Node(Dict value, Mark mark) : cell_(std::make_shared<Cell>(std::move(value), std::move(mark))) {}

Node Node::null(Mark mark) {
  Node node;
  if (mark.known()) node.cell_ = std::make_shared<Cell>(std::monostate{}, std::move(mark));
  return node;
}

Node::Kind Node::kind() const { return cell_ ? static_cast<Kind>(cell_->value.index()) : Kind::kNull; }

bool Node::is_missing() const { return is_string() && as_string() == "???"; }

bool Node::is_interpolation() const { return is_string() && as_string().find("${") != std::string::npos; }

namespace {
constexpr int8_t kHasInterpolation = 1, kHasMissing = 2;
}

int8_t Node::contents() const {
  if (!cell_) return 0;
  int8_t bits = cell_->contents.load(std::memory_order_relaxed);
  if (bits >= 0) return bits;
  bits = static_cast<int8_t>((is_interpolation() ? kHasInterpolation : 0) | (is_missing() ? kHasMissing : 0));
  if (is_list()) {
    for (const Node& item : list()) bits = static_cast<int8_t>(bits | item.contents());
  } else if (is_dict()) {
    for (const auto& entry : dict()) bits = static_cast<int8_t>(bits | entry.value.contents());
  }
  cell_->contents.store(bits, std::memory_order_relaxed);
  return bits;
}

bool Node::needs_resolving() const { return (contents() & kHasInterpolation) != 0; }

bool Node::has_missing() const { return (contents() & kHasMissing) != 0; }

namespace {

[[noreturn]] void wrong_kind(const Node& node, std::string_view expected) {
  const std::string at = node.mark().text();
  throw Error(ErrorKind::kType, fmt::format("{}found {} of type {}; expected {}", at.empty() ? "" : at + ": ",
                                            show(node), kind_name(node.kind()), expected));
}

}  // namespace

bool Node::as_bool() const {
  if (kind() != Kind::kBool) wrong_kind(*this, "bool");
  return std::get<bool>(cell_->value);
}

int64_t Node::as_int() const {
  if (kind() != Kind::kInt) wrong_kind(*this, "int");
  return std::get<int64_t>(cell_->value);
}

double Node::as_float() const {
  if (kind() == Kind::kInt) return static_cast<double>(std::get<int64_t>(cell_->value));
  if (kind() != Kind::kFloat) wrong_kind(*this, "float");
  return std::get<double>(cell_->value);
}

const std::string& Node::as_string() const {
  if (!is_string()) wrong_kind(*this, "str");
  return std::get<std::string>(cell_->value);
}

const Node::List& Node::list() const {
  if (!is_list()) wrong_kind(*this, "list");
  return std::get<List>(cell_->value);
}

const Dict& Node::dict() const {
  if (!is_dict()) wrong_kind(*this, "dict");
  return std::get<Dict>(cell_->value);
}

Node::Cell& Node::own() {
  if (!cell_) {
    cell_ = std::make_shared<Cell>();
  } else if (cell_.use_count() > 1) {
    cell_ = std::make_shared<Cell>(*cell_);
  }
  cell_->contents.store(-1, std::memory_order_relaxed);
  return *cell_;
}

Node::List& Node::mutable_list() {
  list();
  return std::get<List>(own().value);
}

Dict& Node::mutable_dict() {
  dict();
  return std::get<Dict>(own().value);
}

namespace {

// A list index: decimal digits and within the list. OmegaConf does not accept negative indices in paths either.
std::optional<size_t> list_index(std::string_view text, size_t size) {
  size_t index = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (failure != std::errc{} || end != text.data() + text.size() || index >= size) return std::nullopt;
  return index;
}

const Node* child(const Node& node, std::string_view key) {
  if (node.is_dict()) return node.dict().find(key);
  if (!node.is_list()) return nullptr;
  const auto index = list_index(key, node.list().size());
  return index ? &node.list()[*index] : nullptr;
}

}  // namespace

const Node* Node::find(std::string_view path) const {
  if (path.empty()) return this;
  if (path.find_first_of(".[") == std::string_view::npos) return child(*this, path);
  const Node* node = this;
  for (const std::string& key : split_path(path)) {
    node = child(*node, key);
    if (node == nullptr) return nullptr;
  }
  return node;
}

namespace {

void set_below(Node& node, std::span<const std::string> keys, const std::string& path, Node&& value) {
  if (keys.empty()) {
    node = std::move(value);
    return;
  }
  if (node.is_null()) node = Node(Dict{}, value.mark());
  const std::string& key = keys.front();
  const Mark mark = value.mark();
  if (node.is_list()) {
    const auto index = list_index(key, node.list().size());
    if (!index) throw Error(ErrorKind::kType, fmt::format("{}: list index out of range", path));
    set_below(node.mutable_list()[*index], keys.subspan(1), path, std::move(value));
    return;
  }
  if (!node.is_dict()) {
    throw Error(ErrorKind::kType, fmt::format("{}: '{}' is below {}, which is of type {}; expected a dict", path, key,
                                              show(node), kind_name(node.kind())));
  }
  Dict& dict = node.mutable_dict();
  if (keys.size() == 1) {
    dict.set(Key(key, Node::Kind::kString, mark), std::move(value));
    return;
  }
  if (dict.find(key) == nullptr) dict.set(Key(key, Node::Kind::kString, mark), Node(Dict{}, mark));
  set_below(*dict.find_mutable(key), keys.subspan(1), path, std::move(value));
}

}  // namespace

void Node::set(std::string_view path, Node value) {
  const std::vector<std::string> keys = split_path(path);
  set_below(*this, keys, std::string(path), std::move(value));
}

bool Node::erase(std::string_view path) {
  if (path.empty() || find(path) == nullptr) return false;
  const std::vector<std::string> keys = split_path(path);
  Node* node = this;
  for (size_t k = 0; k + 1 < keys.size(); ++k) {
    node = node->is_dict() ? node->mutable_dict().find_mutable(keys[k])
                           : &node->mutable_list()[*list_index(keys[k], node->list().size())];
  }
  if (node->is_dict()) return node->mutable_dict().erase(keys.back());
  List& items = node->mutable_list();
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(*list_index(keys.back(), items.size())));
  return true;
}

const Mark& Node::mark() const {
  static const Mark kUnknown;
  return cell_ ? cell_->mark : kUnknown;
}

Node Node::with_mark(Mark mark) const {
  Node copy = *this;
  copy.own().mark = std::move(mark);
  return copy;
}

bool operator==(const Node& a, const Node& b) {
  if (a.cell_ == b.cell_) return true;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Node::Kind::kNull:
      return true;
    case Node::Kind::kFloat: {
      const double x = a.as_float(), y = b.as_float();
      return x == y || (x != x && y != y);
    }
    case Node::Kind::kDict: {
      const Dict &x = a.dict(), &y = b.dict();
      return x.size() == y.size() && std::equal(x.begin(), x.end(), y.begin(), [](const auto& s, const auto& t) {
               return s.key() == t.key() && s.value == t.value;
             });
    }
    case Node::Kind::kList:
      return a.list() == b.list();
    case Node::Kind::kBool:
      return a.as_bool() == b.as_bool();
    case Node::Kind::kInt:
      return a.as_int() == b.as_int();
    case Node::Kind::kString:
      return a.as_string() == b.as_string();
  }
  return false;
}

Node Key::node() const {
  switch (kind) {
    case Node::Kind::kBool:
      return Node(text == "True", mark);
    case Node::Kind::kInt:
      return Node(static_cast<int64_t>(std::stoll(text)), mark);
    case Node::Kind::kFloat:
      return Node(std::strtod(text.c_str(), nullptr), mark);
    case Node::Kind::kNull:
      return Node::null(mark);
    default:
      return Node(text, mark);
  }
}

size_t Dict::position(std::string_view key) const {
  if (entries_.size() >= kIndexedFrom) {
    const auto found = index_.find(std::string(key));
    return found == index_.end() ? entries_.size() : found->second;
  }
  size_t k = 0;
  while (k < entries_.size() && entries_[k].key().text != key) ++k;
  return k;
}

const Node* Dict::find(std::string_view key) const {
  const size_t k = position(key);
  return k < entries_.size() ? &entries_[k].value : nullptr;
}

const Key* Dict::find_key(std::string_view key) const {
  const size_t k = position(key);
  return k < entries_.size() ? &entries_[k].key() : nullptr;
}

Node* Dict::find_mutable(std::string_view key) {
  const size_t k = position(key);
  return k < entries_.size() ? &entries_[k].value : nullptr;
}

void Dict::set(Key key, Node value) {
  if (Node* there = find_mutable(key.text)) {
    *there = std::move(value);
  } else {
    set(std::make_shared<const Key>(std::move(key)), std::move(value));
  }
}

void Dict::set(const std::shared_ptr<const Key>& key, Node value) {
  if (Node* there = find_mutable(key->text)) {
    *there = std::move(value);
    return;
  }
  entries_.push_back({key, std::move(value)});
  if (entries_.size() == kIndexedFrom) {
    for (size_t k = 0; k < entries_.size(); ++k) index_[entries_[k].key().text] = k;
  } else if (entries_.size() > kIndexedFrom) {
    index_[key->text] = entries_.size() - 1;
  }
}

bool Dict::erase(std::string_view key) {
  const size_t k = position(key);
  if (k == entries_.size()) return false;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(k));
  index_.clear();
  if (entries_.size() >= kIndexedFrom) {
    for (size_t j = 0; j < entries_.size(); ++j) index_[entries_[j].key().text] = j;
  }
  return true;
}

std::vector<std::string> Dict::keys() const {
  std::vector<std::string> keys;
  for (const Entry& entry : entries_) keys.push_back(entry.key().text);
  return keys;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> keys;
  if (path.empty()) return keys;
  keys.emplace_back();
  for (size_t k = 0; k < path.size(); ++k) {
    const char c = path[k];
    if (c == '.') {
      keys.emplace_back();
    } else if (c == '[') {
      if (!(keys.size() == 1 && keys[0].empty())) keys.emplace_back();
    } else if (c == ']') {
      if (k + 1 < path.size() && path[k + 1] != '.' && path[k + 1] != '[') keys.emplace_back();
    } else {
      keys.back() += c;
    }
  }
  return keys;
}

std::string join_path(std::string_view parent, std::string_view key) {
  return parent.empty() ? std::string(key) : fmt::format("{}.{}", parent, key);
}

}  // namespace roundtrip::hydra
