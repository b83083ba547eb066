#include "hydra/compose/search_path.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace roundtrip::hydra {
namespace fs = std::filesystem;

// One place in which configs are searched.
struct SearchPath::Place {
  std::string provider, path;

  Place(std::string provider_in, std::string path_in) : provider(std::move(provider_in)), path(std::move(path_in)) {}
  virtual ~Place() = default;
  virtual bool has_group(const std::string& group) const = 0;
  virtual std::string file_of(const std::string& config) const = 0;              // for messages
  virtual std::optional<std::string> read(const std::string& config) const = 0;  // the text, if it is there
  virtual void options(const std::string& group, std::set<std::string>& names) const = 0;
  virtual void subgroups(const std::string& group, std::set<std::string>& names) const = 0;
};

namespace {

// Names come from configs and the command line: none may leave its place.
bool stays_inside(const std::string& path) {
  if (path.find('\\') != std::string::npos || path.find('\0') != std::string::npos || path.starts_with('/'))
    return false;
  const auto parts = split(path, '/');
  return std::none_of(parts.begin(), parts.end(), [](const std::string& part) { return part == ".." || part == "."; });
}

}  // namespace

namespace {

constexpr uint64_t kLargestFile = uint64_t{16} << 20;

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

template <typename Place>
struct FolderPlace : Place {
  using Place::Place;

  bool has_group(const std::string& group) const override {
    std::error_code failure;
    return fs::is_directory(fs::path(this->path) / group, failure);
  }
  std::string file_of(const std::string& config) const override {
    return (fs::path(this->path) / (config + ".yaml")).lexically_normal().string();
  }
  std::optional<std::string> read(const std::string& config) const override {
    std::error_code failure;
    const fs::path base = fs::path(this->path) / config;
    if (fs::is_regular_file(fs::path(base.string() + ".yaml"), failure))
      return read_file(base.string() + ".yaml", kLargestFile);
    if (fs::is_regular_file(fs::path(base.string() + ".yml"), failure)) {
      throw Error(ErrorKind::kMissing, fmt::format("{}.yml: configs end in .yaml; rename it", base.string()));
    }
    return std::nullopt;
  }
  void options(const std::string& group, std::set<std::string>& names) const override {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(fs::path(this->path) / group, failure)) {
      if (entry.path().extension() == ".yaml" && entry.is_regular_file(failure))
        names.insert(entry.path().stem().string());
    }
  }
  void subgroups(const std::string& group, std::set<std::string>& names) const override {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(fs::path(this->path) / group, failure)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_directory(failure) && !name.starts_with('.')) names.insert(name);
    }
  }
};

template <typename Place>
struct EmbeddedPlace : Place {
  EmbeddedPlace(std::string provider, std::span<const EmbeddedConfig> configs)
      : Place(std::move(provider), "built-in://"), configs(configs) {}

  bool has_group(const std::string& group) const override {
    return std::any_of(configs.begin(), configs.end(),
                       [&](const EmbeddedConfig& config) { return config.path.starts_with(group + "/"); });
  }
  std::string file_of(const std::string& config) const override { return "configs/" + config + ".yaml"; }
  std::optional<std::string> read(const std::string& config) const override {
    for (const EmbeddedConfig& there : configs) {
      if (there.path == config) return std::string(there.text);
    }
    return std::nullopt;
  }
  // The names of the files, or of the folders, directly below `group`.
  void below(const std::string& group, bool folders, std::set<std::string>& names) const {
    const std::string prefix = group.empty() ? "" : group + "/";
    for (const EmbeddedConfig& config : configs) {
      if (!config.path.starts_with(prefix)) continue;
      const std::string_view rest = config.path.substr(prefix.size());
      const size_t slash = rest.find('/');
      if ((slash != std::string_view::npos) == folders) names.insert(std::string(rest.substr(0, slash)));
    }
  }
  void options(const std::string& group, std::set<std::string>& names) const override { below(group, false, names); }
  void subgroups(const std::string& group, std::set<std::string>& names) const override { below(group, true, names); }

  std::span<const EmbeddedConfig> configs;
};

// A key that is null, which YAML allows and configs do not.
const Key* null_key(const Node& node) {
  if (node.is_list()) {
    for (const Node& item : node.list()) {
      if (const Key* key = null_key(item)) return key;
    }
  } else if (node.is_dict()) {
    for (const auto& entry : node.dict()) {
      if (entry.key().kind == Node::Kind::kNull) return &entry.key();
      if (const Key* key = null_key(entry.value)) return key;
    }
  }
  return nullptr;
}

// The package of the header: leading lines `# @package x`, blank lines between them allowed.
std::optional<std::string> package_of(std::string_view text, const std::string& file) {
  std::optional<std::string> package;
  bool in_header = true;
  int number = 0;
  size_t from = 0;
  while (from < text.size()) {
    const size_t end = std::min(text.find('\n', from), text.size());
    std::string_view line = trim(text.substr(from, end - from));
    from = end + 1;
    ++number;
    if (line.empty()) continue;
    if (line[0] != '#') break;
    while (line.starts_with('#')) line.remove_prefix(1);
    line = trim(line);
    if (!line.starts_with('@')) {
      in_header = false;
      continue;
    }
    std::vector<std::string> words;
    for (const std::string& word : split(line, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    const bool about_package = words[0] == "@package" || words[0] == "@package:";
    if (!about_package) continue;
    if (!in_header || words[0] != "@package") {
      throw Error(ErrorKind::kCompose,
                  fmt::format("{}:{}: @package found on line {} but not in the header; write '# @package NAME' above "
                              "everything else",
                              file, number, number));
    }
    if (words.size() > 2)
      throw Error(ErrorKind::kCompose, fmt::format("{}:{}: Too many components in '{}'", file, number, line));
    if (words.size() < 2) {
      throw Error(ErrorKind::kCompose,
                  fmt::format("{}:{}: Expected header format: VALUE, got '{}'", file, number, line));
    }
    package = words[1];
  }
  if (package && package->find("_name_") != std::string::npos) {
    throw Error(ErrorKind::kCompose, fmt::format("{}: _name_ in a package is not supported; write the name", file));
  }
  return package;
}

}  // namespace

struct SearchPath::Cache {
  std::map<std::string, std::shared_ptr<const ConfigFile>> files;  // nullptr: found in no place
  std::map<std::string, bool> groups;
};

SearchPath SearchPath::built_in() {
  SearchPath path;
  path.add_embedded("built-in", embedded_configs());
  return path;
}

void SearchPath::add(std::shared_ptr<Place> place) {
  places_.push_back(std::move(place));
  cache_ = std::make_shared<Cache>();
}

void SearchPath::add_folder(std::string provider, const fs::path& folder) {
  insert_folder(std::move(provider), folder, "");
}

void SearchPath::add_embedded(std::string provider, std::span<const EmbeddedConfig> configs) {
  add(std::make_shared<EmbeddedPlace<Place>>(std::move(provider), configs));
}

void SearchPath::insert_folder(std::string provider, const fs::path& folder, const std::string& before) {
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) {
    throw Error(ErrorKind::kMissing,
                fmt::format("{} is not a config folder: expected a directory", name_text(folder.string())));
  }
  add(std::make_shared<FolderPlace<Place>>(std::move(provider), folder.string()));
  const auto at = std::find_if(places_.begin(), places_.end() - 1,
                               [&](const std::shared_ptr<Place>& place) { return place->provider == before; });
  std::rotate(at, places_.end() - 1, places_.end());
}

bool SearchPath::has_group(const std::string& group) const {
  if (group.empty() || !stays_inside(group) || !cache_) return false;
  const auto known = cache_->groups.find(group);
  if (known != cache_->groups.end()) return known->second;
  const bool found =
      std::any_of(places_.begin(), places_.end(), [&](const auto& place) { return place->has_group(group); });
  return cache_->groups[group] = found;
}

std::vector<std::string> SearchPath::options(const std::string& group) const {
  std::set<std::string> names;
  if (stays_inside(group)) {
    for (const auto& place : places_) place->options(group, names);
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> SearchPath::subgroups(const std::string& group) const {
  std::set<std::string> names;
  if (stays_inside(group)) {
    for (const auto& place : places_) place->subgroups(group, names);
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> SearchPath::groups() const {
  std::vector<std::string> found;
  std::vector<std::string> open = subgroups("");
  constexpr size_t kMaxFolders = 10'000;  // a folder that links to itself has no end
  while (!open.empty() && found.size() < kMaxFolders) {
    const std::string group = open.back();
    open.pop_back();
    found.push_back(group);
    for (const std::string& name : subgroups(group)) open.push_back(joined(group, name));
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::shared_ptr<const ConfigFile> SearchPath::load(const std::string& path) const {
  if (!cache_) return nullptr;
  const auto known = cache_->files.find(path);
  if (known != cache_->files.end()) return known->second;
  if (!stays_inside(path)) {
    throw Error(ErrorKind::kCompose,
                fmt::format("{} is not a config name: '..', '.' and '\\' are not allowed in it", name_text(path)));
  }
  std::shared_ptr<ConfigFile> file;
  for (const auto& place : places_) {
    const std::optional<std::string> text = place->read(path);
    if (!text) continue;
    file = std::make_shared<ConfigFile>();
    file->path = path;
    file->provider = place->provider;
    file->file = place->file_of(path);
    file->content = parse_yaml(*text, file->file, &file->warnings);
    if (const Key* key = null_key(file->content)) {
      throw Error(ErrorKind::kType, fmt::format("{}: found null as a key; quote it if it is text", key->mark.text()));
    }
    file->package = package_of(*text, file->file);
    if (file->content.is_null()) file->content = Node(Dict{}, file->content.mark());
    if (file->content.is_dict()) {
      if (const Node* defaults = file->content.dict().find("defaults")) {
        file->defaults = *defaults;
        file->content.mutable_dict().erase("defaults");
      }
    }
    break;
  }
  return cache_->files[path] = file;
}

std::vector<SearchPath::Row> SearchPath::rows() const {
  std::vector<Row> rows;
  for (const auto& place : places_) rows.push_back({place->provider, place->path});
  return rows;
}

std::string SearchPath::text() const {
  std::string text = "Config search path:";
  for (const auto& place : places_) text += fmt::format("\n\tprovider={}, path={}", place->provider, place->path);
  return text;
}

}  // namespace roundtrip::hydra
