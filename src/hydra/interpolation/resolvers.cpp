// The resolvers: ${oc.env:HOME,none}, ${now:%H-%M-%S}, ${hydra:job.num} ...
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "hydra/interpolation/evaluator.h"
#include "hydra/interpolation/git_commit.h"
#include "hydra/tree/yaml.h"

namespace roundtrip::hydra {
namespace {

struct Call {
  Evaluator& evaluator;
  const std::string& name;
  const std::vector<Located>& arguments;
  const Path& path;

  [[noreturn]] void fail(std::string_view exception, const std::string& what) const {
    throw Error(ErrorKind::kInterpolation, fmt::format("{} raised while resolving interpolation: {}", exception, what));
  }
  void expect_arguments(size_t least, size_t most) const {
    if (arguments.size() >= least && arguments.size() <= most) return;
    fail("TypeError", fmt::format("{} takes {} argument{}, found {}", name,
                                  least == most ? std::to_string(least) : fmt::format("{} to {}", least, most),
                                  most == 1 ? "" : "s", arguments.size()));
  }
  const std::string& string_at(size_t k) const {
    const Node& argument = arguments[k].node;
    if (!argument.is_string()) {
      fail("TypeError",
           fmt::format("{} takes a string, found {} of type {}", name, show(argument), kind_name(argument.kind())));
    }
    return argument.as_string();
  }
  // A text that a resolver returns is final, even where it looks like an interpolation; the contents of a container are
  // not.
  Located made(Node node) const { return {node, path, !node.is_container()}; }
};

Located environment(const Call& call) {
  call.expect_arguments(1, 2);
  const std::string& variable = call.string_at(0);
  std::string value;
  const auto& read = call.evaluator.context().environment;
  if (read) {
    if (read(variable, value)) return call.made(Node(value));
  } else if (const char* found = std::getenv(variable.c_str())) {
    return call.made(Node(found));
  }
  if (call.arguments.size() == 1) {
    call.fail("KeyError", fmt::format("\"Environment variable '{}' not found\"", variable));
  }
  const Node& fallback = call.arguments[1].node;
  return call.made(fallback.is_null() ? Node() : Node(python_str(fallback)));
}

Located decode(const Call& call) {
  call.expect_arguments(1, 1);
  if (call.arguments[0].node.is_null()) return call.made(Node());
  call.evaluator.count_text(call.string_at(0).size());
  return call.made(call.evaluator.element(call.string_at(0), call.path));
}

Located select(const Call& call) {
  call.expect_arguments(1, 2);
  const std::optional<Located> found = call.evaluator.find(call.string_at(0), call.path);
  if (found && !found->node.is_missing()) return *found;
  return call.arguments.size() == 2 ? call.arguments[1] : call.made(Node());
}

void check_created(const Node& node, const Call& call) {
  call.evaluator.count(1);
  if (node.is_list()) {
    for (const Node& item : node.list()) check_created(item, call);
  } else if (node.is_dict()) {
    for (const auto& entry : node.dict()) {
      if (entry.key().kind == Node::Kind::kNull) {
        call.fail("KeyValidationError", "Incompatible key type 'NoneType'");
      }
      check_created(entry.value, call);
    }
  }
}

// Like OmegaConf.create: parses a text as YAML; a plain string becomes a key.
Located create(const Call& call) {
  call.expect_arguments(1, 1);
  Node content = call.arguments[0].node;
  if (content.is_null()) return call.made(content);
  if (content.is_string()) {
    call.evaluator.count_text(content.as_string().size());
    try {
      content = parse_yaml(content.as_string(), "oc.create");
    } catch (const Error& error) {
      call.fail("YAMLError", error.message());
    }
    if (content.is_null()) content = Node(Dict{});
    if (content.is_string()) {
      Dict dict;
      dict.set(content.as_string(), Node());
      content = Node(std::move(dict));
    }
  }
  if (!content.is_container()) call.fail("ValidationError", "oc.create takes a list, a dict or their YAML");
  check_created(content, call);
  return call.made(content);
}

Located dict_of(const Call& call) {
  call.expect_arguments(1, 1);
  const std::string& key = call.string_at(0);
  const std::optional<Located> found = call.evaluator.find(key, call.path);
  if (!found) call.fail("ConfigKeyError", fmt::format("Key not found: '{}'", key));
  if (!found->node.is_dict()) {
    call.fail("TypeError",
              fmt::format("`{}` cannot be applied to objects of type: {}", call.name, kind_name(found->node.kind())));
  }
  call.evaluator.count(found->node.dict().size());
  return *found;
}

Located keys(const Call& call) {
  Node::List names;
  for (const auto& entry : dict_of(call).node.dict()) names.push_back(entry.key().node());
  return call.made(Node(std::move(names)));
}

// A list of references, one deeper than the key that they start with.
Located values(const Call& call) {
  const Located dict = dict_of(call);
  const std::string& key = call.string_at(0);
  Node::List items;
  for (const auto& entry : dict.node.dict()) {
    items.emplace_back(fmt::format("${{{}{}.{}}}", key.starts_with('.') ? "." : "", key, entry.key().text));
  }
  return call.made(Node(std::move(items)));
}

// Returns the value only: the message is in the config, for readers of the old key.
Located deprecated(const Call& call) {
  call.expect_arguments(1, 2);
  if (call.arguments.size() == 2) call.string_at(1);
  const std::optional<Located> found = call.evaluator.find(call.string_at(0), call.path);
  if (!found) {
    call.fail("ConfigKeyError", fmt::format("In oc.deprecated resolver at '{}': Key not found: '{}'",
                                            path_text(call.path), call.string_at(0)));
  }
  return *found;
}

Located now(const Call& call) {
  call.expect_arguments(0, 1);
  const std::string format = call.arguments.empty() ? "%Y-%m-%d_%H-%M-%S" : call.string_at(0);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(call.evaluator.context().now);
  std::tm local{};
  localtime_r(&seconds, &local);
  char text[512];
  const size_t length = std::strftime(text, sizeof text, format.c_str(), &local);
  if (length == 0 && !format.empty()) call.fail("ValueError", fmt::format("now: '{}' is not a time format", format));
  return call.made(Node(std::string(text, length)));
}

Located hydra(const Call& call) {
  call.expect_arguments(1, 1);
  const Node* found = call.evaluator.context().hydra.find(call.string_at(0));
  if (found == nullptr) call.fail("ConfigKeyError", fmt::format("Key not found: 'hydra.{}'", call.string_at(0)));
  return call.made(*found);
}

Located sha256(const Call& call) {
  call.expect_arguments(1, 1);
  const std::string& file = call.string_at(0);
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure))
    call.fail("FileNotFoundError", fmt::format("no file '{}'", file));
  return call.made(Node(sha256_hex_of_file(file)));
}

// The commit checked out in the folder where the program was started.
Located git(const Call& call) {
  call.expect_arguments(1, 1);
  const std::string& what = call.string_at(0);
  if (what != "sha") call.fail("ValueError", fmt::format("git: found '{}'; expected sha", what));
  const std::optional<std::string> commit = checked_out_commit(std::filesystem::current_path());
  if (!commit) call.fail("ValueError", "git:sha: this folder is in no git repository with a commit");
  return call.made(Node(*commit));
}

}  // namespace

Located call_resolver(Evaluator& evaluator, const std::string& name, const std::vector<Located>& arguments,
                      const Path& path) {
  using Resolver = Located (*)(const Call&);
  static const std::map<std::string, Resolver> kResolvers = {
      {"git", git},           {"hydra", hydra},           {"now", now},
      {"oc.create", create},  {"oc.decode", decode},      {"oc.deprecated", deprecated},
      {"oc.dict.keys", keys}, {"oc.dict.values", values}, {"oc.env", environment},
      {"oc.select", select},  {"sha256", sha256},
  };
  const auto found = kResolvers.find(name);
  if (found == kResolvers.end()) {
    std::vector<std::string> names;
    for (const auto& [known, resolver] : kResolvers) names.push_back(known);
    const std::string shown = name.substr(0, 100);
    throw Error(ErrorKind::kInterpolation, fmt::format("Unsupported interpolation type {}", shown),
                fmt::format("  known: {}.{}", join(names, ", "), did_you_mean(shown, names)));
  }
  return found->second({evaluator, name, arguments, path});
}

}  // namespace roundtrip::hydra
