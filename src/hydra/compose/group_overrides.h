// The choices that the command line and `override` entries make for groups, and which of them were used. Private to the
// folder.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hydra/compose/defaults_list.h"

namespace roundtrip::hydra {

class GroupOverrides {
 public:
  explicit GroupOverrides(const std::vector<Override>& overrides);

  // Registers an `override` entry of the list number `list` of config `parent`. The command line and lists read earlier
  // win; inside one list the last one does (D5).
  void add_entry(const DefaultsEntry& entry, const std::string& parent, int list);
  // Applies a choice to an entry of the defaults list.
  void apply(DefaultsEntry& entry);
  // Whether the command line deletes this entry.
  bool deletes(const DefaultsEntry& entry);
  // Throws kCompose for a group that has another option already.
  void set_known(const DefaultsEntry& entry);
  // Throws kCompose for a choice or a deletion that matched no entry.
  void ensure_all_used() const;

  std::vector<DefaultsEntry> appended;
  std::map<std::string, Node> known;  // override key -> option

 private:
  struct Choice {
    Choices value;
    std::string parent;  // empty for the command line
    int list = -1;
    bool used = false;
  };
  struct Deletion {
    std::optional<std::string> option;
    bool used = false;
  };

  void add(const Override& item);
  [[noreturn]] void unused(const std::string& key, const Choice& choice) const;

  std::map<std::string, Choice> choices_;
  std::vector<std::string> order_;  // of the keys of choices_
  std::map<std::string, Deletion> deletions_;
  std::map<std::string, std::set<std::string>> known_by_group_;
};

}  // namespace roundtrip::hydra
