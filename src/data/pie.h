// PIE-Bench's layout (Ju et al., "PnP Inversion: Boosting Diffusion-based Editing with 3 Lines of Code", ICLR 2024):
// mapping_file.json, and the images that it names below annotation_images.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace roundtrip::data::pie {

inline constexpr const char* kList = "mapping_file.json";
inline constexpr const char* kImages = "annotation_images";

// Folders of the images, one for each type, with the number of edits that were published: type 6 is
// "6_change_attribute_color_40".
struct Type {
  std::string_view name;
  int published;
};
inline constexpr std::array<Type, 10> kTypes = {{{"random", 140},
                                                 {"change_object", 80},
                                                 {"add_object", 80},
                                                 {"delete_object", 80},
                                                 {"change_attribute_content", 40},
                                                 {"change_attribute_pose", 40},
                                                 {"change_attribute_color", 40},
                                                 {"change_attribute_material", 40},
                                                 {"change_background", 80},
                                                 {"change_style", 80}}};

}  // namespace roundtrip::data::pie
