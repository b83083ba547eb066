// Hydra's defaults list (hydra.md 1.6): from the primary config and the group overrides of the command line to the
// configs that are merged, in order, and the package of each. Private to the room.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "hydra/compose/compose.h"

namespace roundtrip::hydra {

// The value of a group: an option, several (a list), or null.
using Choices = std::variant<std::monostate, std::string, std::vector<std::string>>;

// One entry of a defaults list: `group: option`, a config path, or _self_.
struct DefaultsEntry {
  bool is_group = false;
  std::string name;  // the group ("db", "/db"), or the path of a config
  Choices value;     // of a group
  std::optional<std::string> package;
  bool optional = false, override = false;
  bool appended = false;  // by +group=option on the command line
  bool primary = false;

  // Set when the parent is known.
  std::string base;            // the folder that relative names refer to
  std::string parent_package;  // final
  std::optional<std::string> header;
  bool dropped = false;  // deleted on the command line, or optional and missing

  bool is_self() const { return is_group ? single() == "_self_" : name == "_self_"; }
  std::string single() const;  // the option, or the last part of the path; empty for null and lists
  bool is_null() const { return is_group && std::holds_alternative<std::monostate>(value); }
  bool is_missing() const { return single() == "???"; }
  bool is_interpolation() const;
  void set_parent(const std::string& base_in, const std::string& parent_package_in);
  std::string group_path() const;
  std::string config_path() const;
  std::string default_package() const;
  std::string final_package(bool with_header = true) const;
  std::string override_key() const;
};

// Returns the entries of the defaults list of `file`. Throws kCompose for a malformed list.
std::vector<DefaultsEntry> parse_defaults(const ConfigFile& file);

struct DefaultsList {
  std::vector<DefaultsRow> rows;
  std::vector<std::shared_ptr<const ConfigFile>> files;  // one for each row
  std::map<std::string, Node> choices;
  std::vector<std::string> warnings;
};

// `groups` are the overrides whose key is a group.
DefaultsList build_defaults(const SearchPath& path, const std::string& config_name, const std::vector<Override>& groups,
                            bool allow_missing_groups);

}  // namespace roundtrip::hydra
