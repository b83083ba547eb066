// Registry of plug-ins: classes that are chosen by name, each with a description and a factory.
//
// Methods, metrics and datasets all register in this way, with one statement in their own file. A kind of plug-in has
// an abstract class, which names its registry, and a struct that describes a plug-in without constructing it:
//
//   struct MethodInfo {
//     static constexpr PluginKind kKind{.noun = "method", .key = "method.name"};
//     std::string name, summary;
//   };
//   class Method {
//    public:
//     using Plugins = Registry<Method, MethodInfo, const config::Params&>;  // the arguments of every constructor
//     virtual ~Method() = default;
//   };
//
//   const Registered<Method, Ddim> ddim({.name = "ddim", .summary = "..."});  // in ddim.cpp, and nowhere else
//
// Objects that register themselves must be linked whole: an OBJECT library keeps them, a STATIC one drops them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"

namespace roundtrip {

// Words for a kind of plug-in in messages.
struct PluginKind {
  const char* noun;                         // "method"
  const char* key;                          // the config key that chooses one: "method.name"
  ErrorKind unknown = ErrorKind::kMissing;  // the kind of error for a name that is not registered
};

template <typename Plugin, typename PluginInfo, typename... Arguments>
class Registry {
 public:
  using Info = PluginInfo;
  using Factory = std::function<std::unique_ptr<Plugin>(const Info&, Arguments...)>;

  static void add(Info info, Factory factory) {
    const std::string name = info.name;
    const bool is_new = entries().try_emplace(name, Entry{std::move(info), std::move(factory)}).second;
    check(is_new, fmt::format("{} '{}' is registered once", Info::kKind.noun, name));
  }

  // Sorted by name, as are the infos.
  static std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries()) names.push_back(name);
    return names;
  }

  static std::vector<Info> infos() {
    std::vector<Info> infos;
    for (const auto& [name, entry] : entries()) infos.push_back(entry.info);
    return infos;
  }

  static bool has(const std::string& name) { return entries().contains(name); }

  // Both throw for an unknown `name`, with an error that names the key, all registered names and the nearest one.
  static const Info& info(const std::string& name) { return find(name).info; }

  static std::unique_ptr<Plugin> make(const std::string& name, Arguments... arguments) {
    const Entry& entry = find(name);
    return entry.make(entry.info, std::forward<Arguments>(arguments)...);
  }

 private:
  struct Entry {
    Info info;
    Factory make;
  };

  // Inside a function, because registrations run before main in no known order.
  static std::map<std::string, Entry>& entries() {
    static std::map<std::string, Entry> all;
    return all;
  }

  static const Entry& find(const std::string& name) {
    const auto found = entries().find(name);
    if (found != entries().end()) return found->second;
    const std::vector<std::string> known = names();
    throw Error(Info::kKind.unknown,
                fmt::format("{}: there is no {} {}; expected one of {}.{}", Info::kKind.key, Info::kKind.noun,
                            name_text(name), join(known, ", "), did_you_mean(name, known)));
  }
};

// Registers a class at start-up. Its constructor takes the registry's arguments, the info followed by those arguments,
// the info alone, or nothing.
template <typename Plugin, typename Class>
struct Registered {
  using Info = typename Plugin::Plugins::Info;

  explicit Registered(Info info) {
    Plugin::Plugins::add(std::move(info), [](const Info& own, auto&&... arguments) -> std::unique_ptr<Plugin> {
      if constexpr (std::is_constructible_v<Class, const Info&, decltype(arguments)...>) {
        return std::make_unique<Class>(own, std::forward<decltype(arguments)>(arguments)...);
      } else if constexpr (std::is_constructible_v<Class, decltype(arguments)...>) {
        return std::make_unique<Class>(std::forward<decltype(arguments)>(arguments)...);
      } else if constexpr (std::is_constructible_v<Class, const Info&>) {
        return std::make_unique<Class>(own);
      } else {
        return std::make_unique<Class>();
      }
    });
  }
};

}  // namespace roundtrip
