// dataset=mapping: a list of edits whose fields the config names (mapping_reader.h), such as FlowEdit's and
// DNA-Bench's.
#include "data/mapping_reader.h"

namespace roundtrip::data {
namespace {

MappingRules rules_of(const DatasetOptions& options) {
  const config::Params& params = options.params;
  const config::Params& fields = params.section("fields");
  MappingRules rules{.list = find_list(options.path), .images = params.get_path("images_path"), .fields = {}};
  if (rules.images.empty()) rules.images = rules.list.parent_path();
  rules.fields = {.image = fields.get_strings("image"),
                  .source = fields.get_strings("source"),
                  .target = fields.get_strings("target"),
                  .mask = fields.get_strings("mask"),
                  .type = fields.get_strings("type"),
                  .blend = fields.get_strings("blend"),
                  .edit = fields.get_strings("edit"),
                  .instruction = fields.get_strings("instruction")};
  if (rules.fields.image.empty()) throw fields.wrong("image", "the name of the field that names the image");
  rules.strip = params.get_string("strip");
  rules.mask_border = params.get_bool("mask_border");
  if (!params.is_null("equalizer")) rules.equalizer = params.get_float("equalizer");
  return rules;
}

class Mapping : public ListedDataset {
 public:
  explicit Mapping(const DatasetOptions& options) : Mapping(options, rules_of(options)) {}

 private:
  Mapping(const DatasetOptions& options, const MappingRules& rules)
      : ListedDataset(options, rules.images, read_mapping(rules)) {}
};

const Registered<Dataset, Mapping> mapping({.name = "mapping"});

}  // namespace
}  // namespace roundtrip::data
