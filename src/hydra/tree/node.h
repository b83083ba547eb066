// The tree of a config: null, bool, int, float, string, list and ordered dict, each with the place where it was
// written.
//
// A Node is a value: copying shares the subtree, and a change copies only the shared part first, so that a hundred
// thousand configs that differ in six keys cost little more than those keys. The string `???` is a mandatory value not
// given yet, a string with `${...}` is an interpolation; both stay strings until
// hydra/interpolation/interpolation.h reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace roundtrip::hydra {

// Where a key or value was written. Line and column count from 1; a line of 0 means the whole of `file`.
struct Mark {
  std::shared_ptr<const std::string> file;  // a path as the user knows it, or "command line"
  int line = 0, column = 0;

  bool known() const { return file != nullptr; }
  std::string text() const;  // "configs/method/ddim.yaml:3", or empty
};

// A dict key. YAML keeps `1` and `'1'` apart, so a key carries its type beside its text; paths match by text.
struct Key;

class Dict;

class Node {
 public:
  enum class Kind : uint8_t { kNull, kBool, kInt, kFloat, kString, kList, kDict };
  using List = std::vector<Node>;

  Node() = default;  // null
  explicit Node(bool value, Mark mark = {});
  explicit Node(int64_t value, Mark mark = {});
  explicit Node(int value, Mark mark = {}) : Node(static_cast<int64_t>(value), std::move(mark)) {}
  explicit Node(double value, Mark mark = {});
  explicit Node(std::string value, Mark mark = {});
  explicit Node(const char* value, Mark mark = {}) : Node(std::string(value), std::move(mark)) {}
  explicit Node(List value, Mark mark = {});
  explicit Node(Dict value, Mark mark = {});
  static Node null(Mark mark);

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_dict() const { return kind() == Kind::kDict; }
  bool is_container() const { return is_list() || is_dict(); }
  bool is_missing() const;        // the string ???
  bool is_interpolation() const;  // a string that holds an unescaped ${
  // Whether there is an interpolation, or an escaped one, anywhere below: whether resolving would change the tree.
  bool needs_resolving() const;
  bool has_missing() const;  // whether there is a ??? anywhere below

  // Each throws kType, with the mark and the value found, where the node is of another kind.
  bool as_bool() const;
  int64_t as_int() const;
  double as_float() const;  // accepts ints too
  const std::string& as_string() const;
  const List& list() const;
  const Dict& dict() const;
  // For changes in place: parts shared with other nodes are copied first.
  List& mutable_list();
  Dict& mutable_dict();

  // The node at a dotted path ("engine.max_batch", "metrics.0", "metrics[0]"; "" is this node), or nullptr.
  const Node* find(std::string_view path) const;
  // Sets the value at a dotted path and creates dicts along it. Throws kType where the path leads through a scalar or
  // past a list's end.
  void set(std::string_view path, Node value);
  bool erase(std::string_view path);  // false where the path does not exist

  const Mark& mark() const;
  Node with_mark(Mark mark) const;

  // Same types, values and key order; NaN equals NaN. Marks are ignored.
  friend bool operator==(const Node& a, const Node& b);

  // Equal identities mean equal trees (not the other way round): the key of a memo.
  const void* identity() const { return cell_.get(); }

 private:
  struct Cell;
  Cell& own();
  int8_t contents() const;

  std::shared_ptr<Cell> cell_;  // nullptr is null without a mark
};

struct Key {
  std::string text;  // as Python's str() writes it: "1", "True", "None", "name"
  Node::Kind kind = Node::Kind::kString;
  Mark mark;

  Key(std::string text_in, Node::Kind kind_in = Node::Kind::kString, Mark mark_in = {})  // NOLINT: keys are strings
      : text(std::move(text_in)), kind(kind_in), mark(std::move(mark_in)) {}
  Key(const char* text_in) : text(text_in) {}  // NOLINT
  Node node() const;                           // the key as a value of its own type
  friend bool operator==(const Key& a, const Key& b) { return a.text == b.text && a.kind == b.kind; }
};

// Keys in order of first appearance.
class Dict {
 public:
  struct Entry {
    std::shared_ptr<const Key> shared_key;  // shared between the copies of a tree
    Node value;
    const Key& key() const { return *shared_key; }
  };

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  const Node* find(std::string_view key) const;  // by text
  const Key* find_key(std::string_view key) const;
  Node* find_mutable(std::string_view key);
  void set(Key key, Node value);  // replaces the value of an existing key, else appends
  void set(const std::shared_ptr<const Key>& key, Node value);
  bool erase(std::string_view key);
  std::vector<std::string> keys() const;

 private:
  static constexpr size_t kIndexedFrom = 64;  // below, a scan is faster than a hash
  size_t position(std::string_view key) const;

  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;  // used from kIndexedFrom entries on
};

std::string_view kind_name(Node::Kind kind);  // Python's: NoneType bool int float str list dict

// Python's str(): True, None, 1e-05, [1, 'two', {'a': 3.5}].
std::string python_str(const Node& node);

// Block YAML that parse_yaml reads back to an equal tree; ends with a newline.
std::string to_yaml(const Node& node);

// Doubles that JSON has no spelling for become the strings "NaN", "Infinity", "-Infinity".
nlohmann::ordered_json to_json(const Node& node);

// One line for messages: scalars as Python writes them (strings in quotes), containers cut where they are long.
std::string show(const Node& node);

// "a.b[0].c" and "a.b.0.c" -> {a, b, 0, c}.
std::vector<std::string> split_path(std::string_view path);
std::string join_path(std::string_view parent, std::string_view key);

}  // namespace roundtrip::hydra
