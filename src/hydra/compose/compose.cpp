#include "hydra/compose/compose.h"

#include <algorithm>
#include <climits>
#include <set>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "hydra/compose/defaults_list.h"
#include "hydra/compose/embedded.h"
#include "hydra/compose/merge.h"
#include "hydra/compose/renamed_keys.h"
#include "hydra/compose/value_override.h"
#include "hydra/interpolation/interpolation.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::hydra {
namespace {

// `content` under the keys of a dotted package.
Node in_package(const Node& content, const std::string& package) {
  const std::vector<std::string> keys = split_path(package);
  Node node = content;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    Dict dict;
    dict.set(Key(*key, Node::Kind::kString, content.mark()), std::move(node));
    node = Node(std::move(dict), content.mark());
  }
  return node;
}

// The search path is fixed before other configs are looked up.
void check_searchpath(const DefaultsRow& row, const Node& content) {
  if (row.parent == "<root>") return;
  const Node placed = in_package(content, row.package);
  const Node* found = placed.find("hydra.searchpath");
  if (found == nullptr || found->is_null()) return;
  throw Error(ErrorKind::kCompose,
              fmt::format("In '{}': Overriding hydra.searchpath is only supported from the primary config", row.path),
              "  " + found->mark().text());
}

}  // namespace

Node hydra_defaults() {
  for (const EmbeddedConfig& config : embedded_configs()) {
    if (config.path == "hydra/default") return parse_yaml(config.text, "configs/hydra/default.yaml");
  }
  return Node(Dict{});
}

struct Composer::State {
  SearchPath path;
  std::string config_name;
  ComposeOptions options;
  Node hydra = hydra_defaults();

  // The part of a composition that depends only on the group choices.
  struct Base {
    DefaultsList list;
    Node tree;
  };
  std::map<std::string, std::shared_ptr<const Base>> bases;  // by the texts of the group overrides

  std::shared_ptr<const Base> base(const std::vector<const Override*>& groups);
};

std::shared_ptr<const Composer::State::Base> Composer::State::base(const std::vector<const Override*>& groups) {
  std::string key;
  for (const Override* item : groups) key += item->input + '\n';
  if (const auto known = bases.find(key); known != bases.end()) return known->second;
  std::vector<Override> items;
  for (const Override* item : groups) items.push_back(*item);
  auto made = std::make_shared<Base>();
  path.load(config_name);  // reports a primary config that does not parse before any error in groups
  made->list = build_defaults(path, config_name, items, options.allow_missing_groups);
  Dict start;
  start.set("hydra", hydra);
  Node tree(std::move(start));
  for (size_t k = 0; k < made->list.rows.size(); ++k) {
    const DefaultsRow& row = made->list.rows[k];
    check_searchpath(row, made->list.files[k]->content);
    try {
      check_syntax(made->list.files[k]->content);
      tree = merge(tree, in_package(made->list.files[k]->content, row.package));
    } catch (const Error& error) {
      throw Error(ErrorKind::kCompose, fmt::format("In '{}': ConfigTypeError raised while composing config:", row.path),
                  error.what());
    }
  }
  rename_keys(tree, made->list.warnings);
  made->tree = std::move(tree);
  return bases[key] = made;
}

Composer::Composer(SearchPath path, std::string config_name, ComposeOptions options)
    : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
  state_->config_name = std::move(config_name);
  state_->options = options;
}
Composer::~Composer() = default;
Composer::Composer(Composer&&) noexcept = default;

const SearchPath& Composer::search_path() const { return state_->path; }
const std::string& Composer::config_name() const { return state_->config_name; }

Composition Composer::compose(const std::vector<Override>& overrides) {
  std::vector<const Override*> items;
  for (const Override& item : overrides) items.push_back(&item);
  return compose(items);
}

Composition Composer::compose(const std::vector<const Override*>& overrides) {
  std::vector<const Override*> groups, values;
  for (const Override* item : overrides) {
    if (item->is_sweep()) continue;
    const bool is_dict = item->value && item->value->get_if<ElementDict>() != nullptr;
    (!is_dict && state_->path.has_group(item->key) ? groups : values).push_back(item);
  }
  const auto base = state_->base(groups);
  Node tree = base->tree;
  for (const Override* item : values) apply_value_override(tree, *item);

  Composition composition;
  composition.hydra = tree.dict().find("hydra") == nullptr ? Node(Dict{}) : *tree.dict().find("hydra");
  tree.mutable_dict().erase("hydra");
  composition.job = std::move(tree);
  composition.defaults = base->list.rows;
  composition.choices = base->list.choices;
  composition.warnings = base->list.warnings;
  return composition;
}

namespace {

// Joins task overrides into a folder name: sorted, `/` and `${` escaped, cut to 200 bytes and a hash.
std::string override_dirname(const std::vector<Override>& overrides, const Node& hydra) {
  const auto text = [&](const char* path, const char* fallback) {
    const Node* node = hydra.find(path);
    return node != nullptr && node->is_string() ? node->as_string() : std::string(fallback);
  };
  const std::string kv_sep = text("job.config.override_dirname.kv_sep", "=");
  const std::string item_sep = text("job.config.override_dirname.item_sep", ",");
  std::set<std::string> excluded;
  if (const Node* keys = hydra.find("job.config.override_dirname.exclude_keys"); keys != nullptr && keys->is_list()) {
    for (const Node& key : keys->list()) excluded.insert(python_str(key));
  }
  std::vector<std::string> lines;
  for (const Override& item : overrides) {
    if (item.key.starts_with("hydra.") || excluded.count(item.key) != 0) continue;
    std::string line;
    for (const char c : item.input) {
      if (c == '{' && line.ends_with('$')) {
        line += "%7B";  // a folder name must not contain an interpolation, nor half of one
      } else if (c == '=') {
        line += kv_sep;
      } else if (c == '/') {
        line += "%2F";
      } else {
        line += c;
      }
    }
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  std::string name = join(lines, item_sep);
  constexpr size_t kLongest = 200, kHash = 16;
  if (name.size() > kLongest) {
    const std::string hash = sha256_hex(name).substr(0, kHash);
    size_t cut = kLongest - kHash - 1;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) --cut;
    name = name.substr(0, cut) + "-" + hash;
  }
  return name;
}

}  // namespace

void fill_hydra(Composition& composition, const std::vector<Override>& overrides, const SearchPath& path,
                const std::string& config_name) {
  Node& hydra = composition.hydra;
  Dict choices;
  for (const auto& [key, option] : composition.choices) choices.set(key, option);
  hydra.set("runtime.choices", Node(std::move(choices)));
  Node::List sources;
  for (const SearchPath::Row& row : path.rows()) {
    Dict source;
    source.set("path", Node(row.path));
    source.set("provider", Node(row.provider));
    sources.emplace_back(std::move(source));
  }
  hydra.set("runtime.config_sources", Node(std::move(sources)));
  char folder[PATH_MAX];
  hydra.set("runtime.cwd", getcwd(folder, sizeof folder) != nullptr ? Node(folder) : Node());
  Node::List task, own;
  for (const Override& item : overrides) {
    const bool of_hydra = item.key.starts_with("hydra.") || item.key.starts_with("hydra/");
    (of_hydra ? own : task).emplace_back(item.input);
  }
  hydra.set("overrides.task", Node(std::move(task)));
  hydra.set("overrides.hydra", Node(std::move(own)));
  hydra.set("job.config_name", Node(config_name));
  hydra.set("job.override_dirname", Node(override_dirname(overrides, hydra)));
}

}  // namespace roundtrip::hydra
