// Scenes: small captioned pictures whose edits have an exactly known answer.
//
// A scene consists of what its caption names (one or two objects, their sizes, colours, shapes and places, a
// background) and what no caption names: offsets, rotation, light, texture and grain. An edit changes exactly one named
// thing, so the edited picture and the region that may change are known to the byte. docs: datasets/scenes/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/sample.h"

namespace roundtrip::data::scenes {

inline constexpr int kSide = 64;  // pixels

enum class Size : uint8_t { kSmall, kLarge };
enum class Colour : uint8_t { kRed, kYellow, kBlue, kPurple, kWhite, kBlack };
enum class Shape : uint8_t { kCircle, kSquare, kTriangle, kStar };
enum class Place : uint8_t { kLeft, kMiddle, kRight };
enum class Background : uint8_t { kGreen, kGrey, kPink, kBrown, kTeal };

inline constexpr std::array<std::string_view, 2> kSizes = {"small", "large"};
inline constexpr std::array<std::string_view, 6> kColours = {"red", "yellow", "blue", "purple", "white", "black"};
inline constexpr std::array<std::string_view, 4> kShapes = {"circle", "square", "triangle", "star"};
inline constexpr std::array<std::string_view, 3> kPlaces = {"on the left", "in the middle", "on the right"};
inline constexpr std::array<std::string_view, 5> kBackgrounds = {"green", "grey", "pink", "brown", "teal"};

struct Object {
  Size size;
  Colour colour;
  Shape shape;
  Place place;
  bool operator==(const Object&) const = default;
};

struct Description {
  std::vector<Object> objects;  // one anywhere, or one on the left and then one on the right
  Background background;
  bool operator==(const Description&) const = default;
};

// "a small red circle on the left and a large blue star on the right, on a green background"
std::string caption(const Description& description);

struct Wave {
  double across, down, phase;  // cycles over the picture's width and height; radians
};

// Properties that no caption names. Spots belong to places, so that removing an object leaves the other one in place.
struct Nuisance {
  struct Spot {
    double x, y;   // pixels from the place's centre
    double angle;  // radians
    double scale;
  };
  std::array<Spot, kPlaces.size()> spots;
  double light;                     // factor on every colour
  double slope_across, slope_down;  // the light's relative change from the centre to an edge
  std::array<Wave, 2> texture;      // of the background
  int64_t seed;                     // of the grain, together with
  std::string id;                   // the scene's own
};

struct Scene {
  std::string id;  // "000042"
  Description description;
  Nuisance nuisance;
};

// The word of the caption that an object's place ends with, with the comma that follows the last object's: "left" or
// "right,". models/scenes looks at an object where its place is named, after all else that the caption says of it.
std::string place_word(const Description& description, size_t object);

// Draws the scene with this number under this seed, independently of all other scenes.
Scene draw_scene(int64_t seed, int64_t number);

Image render(const Description& description, const Nuisance& nuisance);

enum class Edit : uint8_t { kColour, kShape, kSize, kBackground, kRemoval };
inline constexpr std::array<std::string_view, 5> kEdits = {"colour", "shape", "size", "background", "removal"};

struct EditedScene {
  Edit edit;
  Description description;
  EditWords words;
  Image mask;  // 255 where the edit may change the picture, 0 where the bytes of both are equal
};

// Draws the edits that this scene allows (removal needs two objects), each once, in an order drawn for the scene. The
// object and the new value are drawn too.
std::vector<EditedScene> draw_edits(const Scene& scene);

}  // namespace roundtrip::data::scenes
