// A typed reader of one component's config.json that remembers which keys were read.
//
// Model folders carry keys for every variant of an architecture. A network reads those that it implements, refuses
// those that would change its arithmetic, and finally checks which are left (refuse_unread). No key is ignored by
// oversight.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace roundtrip::model {

// T is one of bool, int64_t, double, std::string, or a std::vector of one of them. Integers are accepted as doubles;
// nothing else is converted. Every getter throws kInput with the file and the key.
class JsonConfig {
 public:
  static JsonConfig open(const std::filesystem::path& path);
  static JsonConfig parse(std::string_view text, std::string where);

  bool has(std::string_view key) const;  // present and not null; not counted as reading

  // Returns the key's value. Null has the wrong type here: use find() for keys that may be null.
  template <typename T>
  T get(std::string_view key);
  template <typename T>
  T get(std::string_view key, T fallback);

  // Returns a whole number, which must be `least` or more.
  int64_t at_least(int64_t least, std::string_view key, int64_t fallback);

  // Returns nothing if the key is absent or null.
  template <typename T>
  std::optional<T> find(std::string_view key);

  // Reads a key with one value for all of `blocks`, or a list with one value each (attention_head_dim, ...).
  template <typename T>
  std::vector<T> per_block(std::string_view key, size_t blocks, T fallback);

  // Reads the same one level deeper: a block's own value may be a list with one value for each of its layers. Block b
  // has layers[b] layers.
  template <typename T>
  std::vector<std::vector<T>> per_layer(std::string_view key, const std::vector<int64_t>& layers, T fallback);

  // Refuses values other than `allowed`. An absent key is accepted, because its default is what the network implements.
  // Null is allowed only if listed.
  //   config.refuse_unless("dual_cross_attention", {false});
  void refuse_unless(std::string_view key, std::initializer_list<nlohmann::json> allowed);

  // Counts keys that do not change the arithmetic as read (sample_size, dropout in inference ...).
  void ignore(std::initializer_list<std::string_view> keys);

  // Unread keys, in the file's alphabetical order. Keys that start with `_` are the writer's notes.
  std::vector<std::pair<std::string, nlohmann::json>> unread() const;

  // Throws for the first unread key that is neither null nor false: a switch that is off requests nothing.
  void refuse_unread() const;

  // Throws the Error for a value of the right type that is still wrong.
  [[noreturn]] void fail(std::string_view key, std::string_view expected) const;

  const std::string& where() const { return where_; }

 private:
  JsonConfig(nlohmann::json values, std::string where) : values_(std::move(values)), where_(std::move(where)) {}
  const nlohmann::json* read(std::string_view key);  // null pointer if absent
  std::string nearest(std::string_view key) const;

  nlohmann::json values_;
  std::string where_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace roundtrip::model
