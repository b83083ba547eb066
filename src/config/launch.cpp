#include "config/launch.h"

#include "config/hydra_keys.h"

namespace roundtrip::config {
namespace {

using hydra::Node;

class SchemaCheck : public hydra::TypeCheck {
 public:
  explicit SchemaCheck(const Schema& schema) : schema_(schema), checker_(schema) {}

  bool is_section(const std::string& path) const override { return schema_.is_section(path); }
  Node converted(const Node& job) override { return checker_.validate(job); }
  void check_hydra(const Node& hydra) const override { config::check_hydra(hydra); }

 private:
  const Schema& schema_;
  Checker checker_;
};

}  // namespace

hydra::Launch prepare(const hydra::Flags& flags, const Schema& schema, const hydra::SearchPath& path) {
  SchemaCheck types(schema);
  return hydra::prepare(flags, types, path);
}

}  // namespace roundtrip::config
