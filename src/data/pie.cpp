// dataset=pie: PIE-Bench, a list of edits (mapping_reader.h) with fields, types and a mask rule of its own.
//
// The published reader marks the outermost pixels of every mask, and doubles the attention to the target's blend word.
// Only the layout is known here; how the published tables score it is not.
#include "data/pie.h"

#include "data/mapping_reader.h"

namespace roundtrip::data {
namespace {

MappingRules rules_of(const DatasetOptions& options) {
  MappingRules rules{.list = find_list(options.path), .images = {}, .fields = {}};
  rules.images = rules.list.parent_path() / pie::kImages;
  rules.fields = {.image = {"image_path"},
                  .source = {"original_prompt"},
                  .target = {"editing_prompt"},
                  .mask = {"mask"},
                  .type = {"editing_type_id"},
                  .blend = {"blended_word"},
                  .edit = {},
                  .instruction = {"editing_instruction"}};
  rules.strip = "[]";
  rules.mask_border = true;
  for (const pie::Type& type : pie::kTypes) rules.type_names.emplace_back(type.name);
  if (!options.params.is_null("equalizer")) rules.equalizer = options.params.get_float("equalizer");
  return rules;
}

class Pie : public ListedDataset {
 public:
  explicit Pie(const DatasetOptions& options) : Pie(options, rules_of(options)) {}

 private:
  Pie(const DatasetOptions& options, const MappingRules& rules)
      : ListedDataset(options, rules.images, read_mapping(rules)) {}
};

const Registered<Dataset, Pie> registered({.name = "pie"});

}  // namespace
}  // namespace roundtrip::data
