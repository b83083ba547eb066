// What this program says of the runs that it leaves to `roundtrip-networks`: their subcommands, the keys that they
// read, the methods, editors, metrics and datasets that there are.
//
// All of these register themselves in rooms that need LibTorch, which takes 0.4 s to load. So the build asks
// roundtrip-networks (`roundtrip-networks describe`) and compiles the answer into roundtrip.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/commands.h"
#include "config/schema.h"

namespace roundtrip::app {

// A method or an editor.
struct PluginDescription {
  std::string name, summary, source;
  std::map<std::string, std::string>
      parameters;  // those that it reads in its section, with the type: "int in [1, 1000]"
};

struct MetricDescription {
  std::string name, summary;
};

struct Description {
  std::string version;  // one line
  std::vector<Command> commands;
  std::vector<hydra::KeyInfo> keys;
  std::vector<PluginDescription> methods, editors;
  std::vector<MetricDescription> metrics;
  std::vector<std::string> datasets;
};

const Description& description();

std::string description_json(const Description& description);

// Provides the JSON of this program's description; each program registers exactly one. In `roundtrip` it is the file
// that the build generates (cmake/WriteDescription.cmake), in `roundtrip-networks` app/runs/description.cpp.
struct DescriptionRegistration {
  explicit DescriptionRegistration(std::string (*text)());
};

}  // namespace roundtrip::app
