// Types of the keys that tests and benchmarks of sweeps vary. The sections of the built-in config stay open, because
// the program defines them.
#pragma once

#include "config/schema.h"
#include "hydra/compose/compose.h"

namespace roundtrip::testing {

inline config::Schema small_schema() {
  using config::Type;
  config::Schema schema;
  hydra::Composer composer(hydra::SearchPath::built_in(), "config");
  const hydra::Composition composition = composer.compose(std::vector<hydra::Override>{});
  for (const auto& entry : composition.job.dict()) {
    if (entry.value.is_dict()) schema.add_open_section(entry.key().text);
  }
  schema.add({"task", Type::string()});
  schema.add({"steps", Type::integer().range(1, 1000)});
  schema.add({"guidance_scale", Type::number()});
  schema.add({"invert_guidance_scale", Type::number().or_null()});
  schema.add({"eps_at", Type::one_of({"t", "t-1"})});
  schema.add({"eta", Type::number().range(0, 1)});
  schema.add({"seed", Type::integer().min(0)});
  schema.add({"null_prompt", Type::string()});
  schema.add({"source_prompt", Type::string().or_null()});
  schema.add({"metrics", Type::list(Type::string())});
  return schema;
}

}  // namespace roundtrip::testing
