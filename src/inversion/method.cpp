#include "inversion/method.h"

#include <utility>

#include "base/text.h"

namespace roundtrip::inversion {
namespace {

using Registry = std::map<std::string, std::pair<MethodInfo, MethodFactory>>;

Registry& registry() {
  static Registry methods;
  return methods;
}

}  // namespace

Task<Inversion> Method::fit(const Problem&, Inversion inversion) const { co_return inversion; }

MethodRegistration::MethodRegistration(MethodInfo info, MethodFactory factory) {
  const std::string name = info.name;
  const bool added = registry().emplace(name, std::pair(std::move(info), factory)).second;
  check(added, fmt::format("method '{}' is registered once", name));
}

std::vector<MethodInfo> methods() {
  std::vector<MethodInfo> infos;
  for (const auto& [name, entry] : registry()) infos.push_back(entry.first);
  return infos;
}

std::unique_ptr<Method> make_method(const std::string& name, const config::Params& params) {
  const auto entry = registry().find(name);
  if (entry == registry().end()) {
    std::vector<std::string> names;
    for (const auto& [known, unused] : registry()) names.push_back(known);
    throw Error(ErrorKind::kMissing, fmt::format("method.name: '{}' is not a method; expected one of {}.{}", name,
                                                 join(names, ", "), did_you_mean(name, names)));
  }
  std::unique_ptr<Method> method = entry->second.second(params);
  params.get_string("name");
  if (const auto unread = params.unread(); !unread.empty()) {
    throw Error(ErrorKind::kType, fmt::format("method.{}: '{}' has no such parameter", unread.front(), name));
  }
  return method;
}

}  // namespace roundtrip::inversion
