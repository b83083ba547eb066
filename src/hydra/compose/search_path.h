// The search path of configs: folders first, then the configs compiled into the program. The first match wins.
//
// A group is a directory, an option a *.yaml file in it. Files are read and parsed once.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hydra/compose/embedded.h"
#include "hydra/tree/node.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::hydra {

// A config file, read: its tree without `defaults`, its defaults list as written, and its header.
struct ConfigFile {
  std::string path;                    // "method/ddim"
  std::string provider;                // "main", "command-line", "built-in"
  std::string file;                    // for messages: "configs/method/ddim.yaml"
  Node content;                        // a dict
  std::optional<Node> defaults;        // the value of `defaults` in a dict
  std::optional<std::string> package;  // of `# @package x`
  std::vector<YamlWarning> warnings;
};

class SearchPath {
 public:
  SearchPath() = default;
  // The search path of the program: the configs compiled in.
  static SearchPath built_in();

  // Both append a place to the path. Throws kMissing where the folder does not exist.
  void add_folder(std::string provider, const std::filesystem::path& folder);
  void add_embedded(std::string provider, std::span<const EmbeddedConfig> configs);
  // Puts a folder before the first place of `before` (at the end where there is none).
  void insert_folder(std::string provider, const std::filesystem::path& folder, const std::string& before);

  bool has_group(const std::string& group) const;
  std::vector<std::string> options(const std::string& group) const;    // sorted, without extension
  std::vector<std::string> subgroups(const std::string& group) const;  // sorted; "" is the root
  std::vector<std::string> groups() const;                             // every group: "method", "model/scheduler"
  // nullptr where no place has it. Throws kParse for a file that does not parse.
  std::shared_ptr<const ConfigFile> load(const std::string& path) const;

  struct Row {
    std::string provider, path;
  };
  std::vector<Row> rows() const;
  std::string text() const;  // the lines that "Config search path:" shows

 private:
  struct Place;
  void add(std::shared_ptr<Place> place);

  std::vector<std::shared_ptr<Place>> places_;
  struct Cache;
  std::shared_ptr<Cache> cache_;
};

}  // namespace roundtrip::hydra
