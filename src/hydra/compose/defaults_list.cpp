#include "hydra/compose/defaults_list.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "hydra/compose/group_overrides.h"
#include "hydra/interpolation/interpolation.h"

namespace roundtrip::hydra {
namespace {

constexpr int kMaxDepth = 50;        // of configs that include configs
constexpr int kMaxConfigs = 10'000;  // in one defaults list

// An entry with the configs that its own list names.
struct Tree {
  DefaultsEntry entry;
  std::vector<Tree> children;  // in order; _self_ is the entry's own content
};

class Builder {
 public:
  Builder(const SearchPath& path, GroupOverrides& overrides, bool allow_missing_groups)
      : path_(path), overrides_(overrides), allow_missing_groups_(allow_missing_groups) {}

  const std::vector<std::string>& warnings() const { return warnings_; }

  // Gives `tree` its children. `parent` is the path of the config whose list names it.
  void expand(Tree& tree, const std::string& parent, bool interpolated, int depth) {
    if (depth > kMaxDepth) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("In '{}': configs include each other more than {} deep (a cycle?)", parent, kMaxDepth));
    }
    if (++configs_ > kMaxConfigs) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("In '{}': the defaults list has more than {} entries", parent, kMaxConfigs));
    }
    DefaultsEntry& entry = tree.entry;
    if (!entry.is_missing() && !entry.is_null()) {
      if (const auto file = path_.load(entry.config_path()); file && file->package) set_header(entry, *file->package);
    }
    if (overrides_.deletes(entry)) {
      entry.dropped = true;
      return;
    }
    overrides_.set_known(entry);
    if (entry.is_null()) return;
    if (entry.is_missing()) {
      if (!allow_missing_groups_) unspecified(entry);
      return;
    }
    const auto file = path_.load(entry.config_path());
    if (!file) {
      if (!entry.optional) not_found(entry, parent);
      entry.dropped = true;
      return;
    }
    if (!file->content.is_dict()) {
      throw Error(
          ErrorKind::kCompose,
          fmt::format("{} '{}' must be a DictConfig, got {}", entry.primary ? "primary config" : "config",
                      entry.config_path(), file->content.is_list() ? "ListConfig" : kind_name(file->content.kind())),
          "  " + file->file);
    }
    std::vector<DefaultsEntry> list = parse_defaults(*file);
    if (!list.empty() || (entry.primary && !overrides_.appended.empty())) {
      const bool written = !list.empty();
      const bool added = place_self(entry, list);
      if (added && written && entry.primary && !file->content.dict().empty()) {
        warnings_.push_back(
            fmt::format("In '{}': Defaults list is missing `_self_`; the config's own values come after "
                        "its defaults",
                        entry.config_path()));
      }
    }
    if (entry.primary) list.insert(list.end(), overrides_.appended.begin(), overrides_.appended.end());
    take_overrides(entry, list, interpolated);
    expand_list(tree, std::move(list), interpolated, depth);
  }

 private:
  static void set_header(DefaultsEntry& entry, const std::string& package) {
    const bool global = package == "_global_" || package.starts_with("_global_.");
    entry.header = global ? package : "_global_." + package;
  }

  // Where the config's own content goes among its defaults: last, unless the list says.
  // Whether it had to be added.
  static bool place_self(const DefaultsEntry& entry, std::vector<DefaultsEntry>& list) {
    const auto selves = std::count_if(list.begin(), list.end(), [](const auto& item) { return item.is_self(); });
    if (selves > 1) {
      throw Error(ErrorKind::kCompose, fmt::format("Duplicate _self_ defined in {}", entry.config_path()));
    }
    const bool only_overrides =
        !list.empty() && std::all_of(list.begin(), list.end(), [](const auto& item) { return item.override; });
    if (selves == 0 && !only_overrides) {
      DefaultsEntry self;
      self.name = "_self_";
      list.push_back(self);
      return true;
    }
    return false;
  }

  // Registers the `override` entries, which must come last.
  void take_overrides(const DefaultsEntry& parent, std::vector<DefaultsEntry>& list, bool interpolated) {
    const int number = ++lists_;
    const DefaultsEntry* last = nullptr;
    for (DefaultsEntry& item : list) {
      if (item.is_self()) continue;
      item.set_parent(parent.group_path(), parent.final_package());
      if (last != nullptr && !item.override && !item.appended) {
        throw Error(ErrorKind::kCompose,
                    fmt::format("In {}: Override '{} : {}' is defined before '{}: {}'.", parent.config_path(),
                                last->override_key(), last->single(), item.override_key(), item.single()),
                    "Overrides must be at the end of the defaults list");
      }
      if (!item.override) continue;
      last = &item;
      if (interpolated) {
        throw Error(
            ErrorKind::kCompose,
            fmt::format("{}: Default List Overrides are not allowed in the subtree", parent.config_path()),
            fmt::format("of an in interpolated config group (override {}={}).", item.override_key(), item.single()));
      }
      overrides_.add_entry(item, parent.config_path(), number);
    }
  }

  // From last to first, so that an `override` inside a later sibling reaches the earlier ones.
  void expand_list(Tree& tree, std::vector<DefaultsEntry> list, bool interpolated, int depth) {
    const std::string here = tree.entry.config_path(), base = tree.entry.group_path();
    const std::string package = tree.entry.final_package();
    std::vector<Tree> children;
    for (auto item = list.rbegin(); item != list.rend(); ++item) {
      if (item->override) continue;
      if (!item->is_self()) overrides_.apply(*item);
      const auto* options = std::get_if<std::vector<std::string>>(&item->value);
      if (item->is_self() || (options == nullptr && item->is_interpolation())) {
        children.push_back({*item, {}});
      } else if (options == nullptr) {
        children.push_back({*item, {}});
        expand(children.back(), here, interpolated, depth + 1);
      } else {
        for (auto option = options->rbegin(); option != options->rend(); ++option) {
          children.push_back({of_option(*item, *option, here, base, package), {}});
          expand(children.back(), here, interpolated, depth + 1);
        }
      }
    }
    // Interpolations read the choices that all others made.
    for (Tree& child : children) {
      if (!child.entry.is_interpolation()) continue;
      resolve_entry(child.entry);
      child.entry.set_parent(base, package);
      expand(child, here, true, depth + 1);
    }
    std::reverse(children.begin(), children.end());
    tree.children = std::move(children);
  }

  static DefaultsEntry of_option(const DefaultsEntry& group, const std::string& option, const std::string& here,
                                 const std::string& base, const std::string& package) {
    if (option.find("${") != std::string::npos) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("In '{}': Defaults List interpolation is not supported in options list items", here));
    }
    DefaultsEntry entry;
    entry.name = group.name + "/" + option;
    entry.package = group.package;
    entry.optional = group.optional;
    entry.set_parent(base, package);
    return entry;
  }

  void resolve_entry(DefaultsEntry& entry) const {
    const std::string text = entry.is_group ? entry.single() : entry.config_path();
    Dict choices;
    for (const auto& [key, option] : overrides_.known) choices.set(key, option);
    Node value;
    try {
      value = resolve_text(Node(choices), text);
    } catch (const Error& error) {
      const auto keys = choices.keys();
      throw Error(ErrorKind::kCompose,
                  fmt::format("Error resolving interpolation '{}'{}", text,
                              keys.empty() ? "" : ", possible interpolation keys: " + join(keys, ", ")),
                  error.message());
    }
    if (!value.is_string()) {
      throw Error(
          ErrorKind::kCompose,
          fmt::format("Error resolving interpolation '{}': it resolves to {}; expected an option", text, show(value)));
    }
    if (entry.is_group) {
      entry.value = value.as_string();
    } else {
      entry.name = "/" + value.as_string();
    }
  }

  [[noreturn]] void unspecified(const DefaultsEntry& entry) const {
    if (!entry.is_group)
      throw Error(ErrorKind::kCompose, fmt::format("Missing ConfigDefault is not supported : {}", entry.config_path()));
    const std::string key = entry.override_key();
    std::string options = "Available options:";
    for (const std::string& option : path_.options(entry.group_path())) options += "\n\t" + option;
    throw Error(ErrorKind::kCompose, fmt::format("You must specify '{}', e.g, {}=<OPTION>", key, key), options);
  }

  [[noreturn]] void not_found(const DefaultsEntry& entry, const std::string& parent) const {
    const std::string wanted = entry.config_path();
    if (entry.primary) {
      throw Error(ErrorKind::kMissing,
                  fmt::format("Cannot find primary config '{}'. Check that it's in your config search path.", wanted),
                  path_.text() + did_you_mean(wanted, path_.options("")));
    }
    if (!entry.is_group) {
      throw Error(ErrorKind::kMissing, fmt::format("In '{}': Could not load '{}'.", parent, wanted),
                  "\n" + path_.text());
    }
    const std::vector<std::string> options = path_.options(entry.group_path());
    std::string details = did_you_mean(entry.single(), options);
    if (!details.empty()) details = details.substr(1);
    if (!options.empty()) {
      details += fmt::format("\nAvailable options in '{}':", entry.group_path());
      for (const std::string& option : options) details += "\n\t" + option;
    }
    throw Error(ErrorKind::kMissing, fmt::format("In '{}': Could not find '{}'", parent, wanted),
                details + "\n" + path_.text());
  }

  const SearchPath& path_;
  GroupOverrides& overrides_;
  bool allow_missing_groups_;
  int lists_ = 0, configs_ = 0;
  std::vector<std::string> warnings_;
};

// Flattens depth first; _self_ is the content of the config whose list contains it.
void flatten(const Tree& tree, const std::string& parent, const SearchPath& path, DefaultsList& list,
             std::set<std::string>& keys) {
  const DefaultsEntry& entry = tree.entry;
  const auto add = [&](bool is_self) {
    list.rows.push_back({entry.config_path(), entry.final_package(), is_self, parent});
    list.files.push_back(path.load(entry.config_path()));
  };
  if (!tree.children.empty()) {
    for (const Tree& child : tree.children) {
      if (child.entry.is_self()) {
        add(true);
      } else {
        flatten(child, entry.config_path(), path, list, keys);
      }
    }
    return;
  }
  if (entry.dropped || entry.is_missing() || entry.is_null()) return;
  if (entry.is_group && !keys.insert(entry.override_key()).second) {
    throw Error(ErrorKind::kCompose,
                fmt::format("{} appears more than once in the final defaults list", entry.override_key()));
  }
  add(false);
}

}  // namespace

DefaultsList build_defaults(const SearchPath& path, const std::string& config_name, const std::vector<Override>& groups,
                            bool allow_missing_groups) {
  GroupOverrides overrides(groups);
  Tree root;
  root.entry.name = config_name;
  root.entry.primary = true;
  Builder builder(path, overrides, allow_missing_groups);
  builder.expand(root, "<root>", false, 0);
  DefaultsList list;
  list.warnings = builder.warnings();
  std::set<std::string> keys;
  flatten(root, "<root>", path, list, keys);
  overrides.ensure_all_used();
  list.choices = overrides.known;
  std::set<const ConfigFile*> seen;
  for (const auto& file : list.files) {
    if (!seen.insert(file.get()).second) continue;
    for (const YamlWarning& warning : file->warnings) {
      list.warnings.push_back(fmt::format("{}: {}", warning.mark.text(), warning.message));
    }
  }
  return list;
}

}  // namespace roundtrip::hydra
