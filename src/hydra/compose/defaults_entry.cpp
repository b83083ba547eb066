// Entries of a defaults list, and the arithmetic of groups and packages.
#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "hydra/compose/defaults_list.h"

namespace roundtrip::hydra {
namespace {

std::string dotted(std::string path) {
  for (char& c : path) c = c == '/' ? '.' : c;
  return path;
}

std::string without_slash(const std::string& name) { return name.starts_with('/') ? name.substr(1) : name; }

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string below(const std::string& base, const std::string& name) {
  if (name.starts_with('/')) return name.substr(1);
  if (base.empty() || name.empty()) return base + name;
  return base + "/" + name;
}

[[noreturn]] void bad_entry(const ConfigFile& file, const Node& item, const std::string& what) {
  const std::string at = item.mark().known() ? item.mark().text() : file.file;
  throw Error(ErrorKind::kCompose, fmt::format("In {}: {}", file.path, what), fmt::format("  {}: {}", at, show(item)));
}

// "name@package" -> both.
std::pair<std::string, std::optional<std::string>> split_package(const std::string& text, const ConfigFile& file,
                                                                 const Node& item) {
  const size_t at = text.find('@');
  if (at == std::string::npos) return {text, std::nullopt};
  std::string package = text.substr(at + 1);
  if (package.find(':') != std::string::npos) bad_entry(file, item, "renaming a package with ':' is not supported");
  if (package.find("_name_") != std::string::npos)
    bad_entry(file, item, "_name_ in a package is not supported; write the name");
  if (package == "_here_") package = "";
  return {text.substr(0, at), package};
}

void check_name(const std::string& name, const ConfigFile& file, const Node& item) {
  const auto parts = split(name, '/');
  const bool climbs = std::find(parts.begin(), parts.end(), "..") != parts.end();
  if (climbs || name.find('\\') != std::string::npos)
    bad_entry(file, item, "'..' and '\\' are not allowed in a defaults list");
}

DefaultsEntry parse_group(const ConfigFile& file, const Node& item) {
  if (item.dict().size() > 1) bad_entry(file, item, "Too many keys in default item");
  if (item.dict().empty()) bad_entry(file, item, "Missing group name in a default item");
  const auto& entry = *item.dict().begin();
  DefaultsEntry result;
  result.is_group = true;
  auto [text, package] = split_package(entry.key().text, file, item);
  result.package = package;
  std::vector<std::string> words = split(text, ' ');
  result.name = words.back();
  words.pop_back();
  for (const std::string& word : words) {
    static const std::vector<std::string> kKeywords = {"optional", "override"};
    if (word == "optional") {
      result.optional = true;
    } else if (word == "override") {
      result.override = true;
    } else if (!word.empty()) {
      bad_entry(file, item,
                fmt::format("Unknown keyword '{}' in the defaults list.{}", word, did_you_mean(word, kKeywords)));
    }
  }
  if (result.name.empty() || result.name == "/") bad_entry(file, item, "Missing group name in a default item");
  check_name(result.name, file, item);
  const Node& value = entry.value;
  if (value.is_string()) {
    check_name(value.as_string(), file, item);
    result.value = value.as_string();
    // `group: a/b` is the option b of group/a (1.4; D10).
    const size_t slash = value.as_string().rfind('/');
    if (slash != std::string::npos && !value.is_interpolation()) {
      result.name += "/" + value.as_string().substr(0, slash);
      result.value = value.as_string().substr(slash + 1);
    }
  } else if (value.is_list()) {
    std::vector<std::string> options;
    for (const Node& option : value.list()) {
      if (!option.is_string()) {
        bad_entry(file, item,
                  fmt::format("Unsupported item value in defaults : {}, nested list items must be strings",
                              kind_name(option.kind())));
      }
      check_name(option.as_string(), file, item);
      options.push_back(option.as_string());
    }
    result.value = std::move(options);
  } else if (!value.is_null()) {
    bad_entry(
        file, item,
        fmt::format("Unsupported item value in defaults : {}. Supported: string or list", kind_name(value.kind())));
  }
  return result;
}

}  // namespace

std::vector<DefaultsEntry> parse_defaults(const ConfigFile& file) {
  std::vector<DefaultsEntry> entries;
  if (!file.defaults || file.defaults->is_null()) return entries;
  if (!file.defaults->is_list()) {
    const std::string found = file.defaults->is_dict() ? "mapping" : std::string(kind_name(file.defaults->kind()));
    throw Error(ErrorKind::kCompose,
                fmt::format("Invalid defaults list in '{}', defaults must be a list (got {})", file.path, found),
                "  " + file.defaults->mark().text());
  }
  for (const Node& item : file.defaults->list()) {
    if (item.is_dict()) {
      entries.push_back(parse_group(file, item));
      continue;
    }
    if (!item.is_string())
      bad_entry(file, item, fmt::format("Unsupported type in defaults : {}", kind_name(item.kind())));
    DefaultsEntry entry;
    std::tie(entry.name, entry.package) = split_package(item.as_string(), file, item);
    check_name(entry.name, file, item);
    if (entry.name.find(' ') != std::string::npos) bad_entry(file, item, "a config name has no blanks");
    if (entry.is_self() && entry.package) bad_entry(file, item, "_self_@PACKAGE is not supported");
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string DefaultsEntry::single() const {
  if (!is_group) return name.substr(name.rfind('/') + 1);
  const auto* option = std::get_if<std::string>(&value);
  return option == nullptr ? "" : *option;
}

bool DefaultsEntry::is_interpolation() const {
  if (!is_group) return name.find("${") != std::string::npos;
  return single().find("${") != std::string::npos;
}

void DefaultsEntry::set_parent(const std::string& base_in, const std::string& parent_package_in) {
  base = base_in;
  parent_package = parent_package_in;
  const size_t at = package ? package->find("_group_") : std::string::npos;
  if (at != std::string::npos) {
    package->replace(at, std::string("_group_").size(), default_package());
    package = "_global_." + *package;
  }
}

std::string DefaultsEntry::group_path() const {
  if (is_group) return below(base, name);
  const std::string folder = folder_of(without_slash(name));
  return name.starts_with('/') ? folder : below(base, folder);
}

std::string DefaultsEntry::config_path() const { return is_group ? group_path() + "/" + single() : below(base, name); }

std::string DefaultsEntry::default_package() const { return dotted(group_path()); }

std::string DefaultsEntry::final_package(bool with_header) const {
  std::optional<std::string> own = package;
  if (!own && with_header) own = header;
  if (!own) own = dotted(is_group ? without_slash(name) : folder_of(without_slash(name)));
  const std::string whole = parent_package.empty() ? *own : own->empty() ? parent_package : parent_package + "." + *own;
  const size_t global = whole.rfind("_global_");
  if (global == std::string::npos) return whole;
  const size_t rest = global + std::string("_global_").size() + 1;
  return rest < whole.size() ? whole.substr(rest) : "";
}

std::string DefaultsEntry::override_key() const {
  const std::string package_text = final_package(false);
  if (package_text == default_package()) return group_path();
  return group_path() + "@" + (package_text.empty() ? "_global_" : package_text);
}

}  // namespace roundtrip::hydra
