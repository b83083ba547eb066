// Typed parameters: nested sections, lists and maps, from a config's tree and from the command line.
#include "config/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/launch.h"
#include "config/section.h"
#include "hydra/tree/yaml.h"
#include "support/error_of.h"
#include "support/small_schema.h"
#include "support/temporary_folder.h"

namespace roundtrip::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr const char* kEditor = R"(editor:
  name: p2p
  cross: {default: .4, green: [.2, .7], 1: .9}
  self: .6
  equalizer: {red: 3, "blue": -1, yes: .5}
  blend:
    words: [cat, [big, dog]]
    threshold: .3
    minus: null
    places: [down, up]
)";

Params editor() { return section_params(hydra::parse_yaml(kEditor, "editor.yaml"), "editor"); }

Params with(const std::string& yaml) {
  return section_params(hydra::parse_yaml("editor:\n  x: " + yaml, "editor.yaml"), "editor");
}

template <typename Action>
std::string refusal(Action action, ErrorKind kind = ErrorKind::kType) {
  return roundtrip::testing::error_of(action, kind);
}

TEST(Params, GivesListsAndMapsInTheirOrder) {
  const Params params = editor();
  EXPECT_THAT(params.get_floats("self"), ElementsAre(.6));
  EXPECT_THAT(params.get_weights("equalizer"), ElementsAre(Pair("red", 3.0), Pair("blue", -1.0), Pair("True", .5)));
  const Params& blend = params.section("blend");
  EXPECT_THAT(blend.get_string_lists("words", {.min = 2, .max = 2}),
              ElementsAre(ElementsAre("cat"), ElementsAre("big", "dog")));
  EXPECT_EQ(blend.get_float("threshold", {.min = 0, .max = 1}), .3);
  EXPECT_THAT(blend.get_strings("minus"), IsEmpty());
  EXPECT_THAT(blend.get_strings("places"), ElementsAre("down", "up"));
  const Value& cross = params.get_value("cross", "float, [start, end] or {default: float, word: float}");
  ASSERT_TRUE(std::holds_alternative<Map>(cross));
  const Map& map = std::get<Map>(cross);
  ASSERT_EQ(map.size(), 3u);
  EXPECT_EQ(map[0].first, "default");
  EXPECT_EQ(map[1].second, Value(List{.2, .7}));
  EXPECT_EQ(map[2].first, "1");
}

TEST(Params, CountsAnEmptyValueAsNone) {
  EXPECT_THAT(with("null").get_weights("x"), IsEmpty());
  EXPECT_THAT(with("{}").get_weights("x"), IsEmpty());
  EXPECT_THAT(with("[]").get_strings("x"), IsEmpty());
  EXPECT_THAT(with("cat").get_strings("x"), ElementsAre("cat"));
  EXPECT_THAT(with("null").get_string_lists("x", {.min = 2, .max = 2}), IsEmpty());
  EXPECT_THAT(with("null").get_floats("x"), IsEmpty());
}

TEST(Params, TellsTheOwnerWhatWasNotReadInASection) {
  const Params params = editor();
  for (const char* key : {"name", "cross", "self", "equalizer"}) params.is_null(key);
  EXPECT_THAT(params.unread(), ElementsAre("blend"));
  params.section("blend").get_string_lists("words");
  params.section("blend").get_float("threshold");
  params.section("blend").is_null("minus");
  EXPECT_THAT(params.unread(), ElementsAre("blend.places"));
  EXPECT_EQ(refusal([&] { params.check_all_read("editor 'p2p'"); }),
            "editor.yaml:10: editor.blend.places: editor 'p2p' has no such parameter; it has minus, threshold, words.");
  params.section("blend").get_strings("places");
  EXPECT_THAT(params.unread(), IsEmpty());
  params.check_all_read("editor 'p2p'");
}

TEST(Params, DescribesWhatWasAsked) {
  const Params params = editor();
  params.section("blend").get_float("threshold", {.min = 0, .max = 1});
  params.get_floats("self", {.min = 1, .max = 2}, {.min = 0, .max = 1});
  params.get_weights("equalizer");
  params.get_value("cross", "float or dict");
  EXPECT_THAT(params.asked(),
              ElementsAre(Pair("blend.threshold", "float in [0.0, 1.0]"), Pair("cross", "float or dict"),
                          Pair("equalizer", "dict of str to float, or null"),
                          Pair("self", "float or list of 1 to 2, each float in [0.0, 1.0]")));
}

TEST(Params, SaysWhatIsWrongWithAContainer) {
  const std::string at = "editor.yaml:2: editor.x: found ";
  EXPECT_EQ(refusal([&] { with("[.2, cat]").get_int("x", {.min = 1}); }),
            at + "[0.2, 'cat'] of type list; expected int of at least 1");
  EXPECT_EQ(refusal([&] { with("{a: null}").get_string("x"); }), at + "{'a': null} of type dict; expected str");
  EXPECT_EQ(refusal([&] { with("[true]").get_bool("x"); }), at + "[true] of type list; expected bool");
  const SizeRange pair{.min = 2, .max = 2};
  const FloatRange share{.min = 0, .max = 1};
  EXPECT_EQ(refusal([&] { with("[.2, 2]").get_floats("x", pair, share); }),
            at + "[0.2, 2] of type list; expected list of 2, each float in [0.0, 1.0]");
  EXPECT_THAT(refusal([&] { with(".2").get_floats("x", pair, share); }),
              HasSubstr("found 0.2 of type float; expected"));
  EXPECT_THAT(refusal([&] { with("[.1]").get_floats("x", pair); }), HasSubstr("expected list of 2, each float"));
  EXPECT_THAT(refusal([&] { with("null").get_floats("x", pair); }), HasSubstr("found null; expected list of 2"));
  EXPECT_EQ(refusal([&] { with("{red: big}").get_weights("x"); }),
            "editor.yaml:2: editor.x.red: found 'big' of type str; expected float");
  EXPECT_THAT(refusal([&] { with("3").get_weights("x"); }), HasSubstr("expected dict of str to float, or null"));
  EXPECT_THAT(refusal([&] { with("[cat, 3]").get_strings("x"); }), HasSubstr("expected str, list of str, or null"));
  EXPECT_THAT(refusal([&] { with("[cat]").get_string_lists("x", pair); }),
              HasSubstr("expected list of 2, each str or list of str, or null"));
  EXPECT_EQ(refusal([&] { with(".3").section("x"); }), at + "0.3 of type float; expected a section with parameters");
  EXPECT_EQ(refusal([&] { with("{a: 1}").section("x").get_int("b"); }, ErrorKind::kMissing),
            "editor.x.b is not in the config; editor.x has a. Did you mean 'a'?");
}

TEST(Params, ComparesWhatIsNested) {
  EXPECT_EQ(editor(), editor());
  EXPECT_NE(with("{a: 1, b: 2}"), with("{b: 2, a: 1}"));  // the last bound of a token wins, so order counts
  EXPECT_NE(with("[.1, .2]"), with("[.1, .3]"));
  EXPECT_NE(with("[1]"), with("1"));
}

TEST(Params, WritesAValueInOneLine) {
  const auto text = [](const std::string& yaml) { return canonical_text(with(yaml).values().at("x")); };
  EXPECT_EQ(text("null"), "null");
  EXPECT_EQ(text("cat"), "cat");
  EXPECT_EQ(text(".5"), "0.5");
  EXPECT_EQ(text("{b: [1, '1', true], a: {c: null}}"), "{'b': [1, '1', true], 'a': {'c': null}}");
  EXPECT_NE(text("[\"a', 'b\"]"), text("[a, b]"));
  EXPECT_EQ(canonical_text(editor()),
            "blend={'words': ['cat', ['big', 'dog']], 'threshold': 0.3, 'minus': null, 'places': ['down', 'up']},"
            "cross={'default': 0.4, 'green': [0.2, 0.7], '1': 0.9},equalizer={'red': 3, 'blue': -1, 'True': 0.5},"
            "name=p2p,self=0.6");
  EXPECT_EQ(value_text(List{}), "[] of type list");
  EXPECT_EQ(value_text(Map{{"a", Value(1.0)}}), "{'a': 1.0} of type dict");
}

// What the command line makes of an editor's section.
class EditorLine : public ::testing::Test {
 protected:
  EditorLine() {
    folder_.write("editor/made.yaml",
                  "name: made\ncross: .4\nequalizer: null\nweights: {}\n"
                  "blend: {words: null, start: .2}\nbounds: {default: .4}\n");
  }

  Params params(const std::vector<std::string>& overrides) const {
    std::vector<std::string> words = {"--config-dir", folder_.path().string(), "model.path=M", "dataset.path=D",
                                      "editor=made"};
    words.insert(words.end(), overrides.begin(), overrides.end());
    const hydra::Flags flags = hydra::parse_flags(words);
    const hydra::Launch launch = prepare(flags, roundtrip::testing::small_schema(), search_path(flags));
    return section_params(launch.jobs.at(0).config, "editor");
  }

  roundtrip::testing::TemporaryFolder folder_;
};

TEST_F(EditorLine, ReplacesAScalarOrNullByAContainer) {
  EXPECT_THAT(params({"editor.cross=[.2,.7]"}).get_floats("cross"), ElementsAre(.2, .7));
  // A file would read `on` as a bool.
  EXPECT_THAT(params({"editor.equalizer={red: 3, on: -1}"}).get_weights("equalizer"),
              ElementsAre(Pair("red", 3.0), Pair("on", -1.0)));
  const Params cross = params({"editor.cross={default: .4, green: [.2,.7]}"});
  EXPECT_EQ(cross.get_value("cross", ""), Value(Map{{"default", Value(.4)}, {"green", Value(List{.2, .7})}}));
  EXPECT_THAT(params({"editor.blend.words=[cat,dog]"}).section("blend").get_string_lists("words"),
              ElementsAre(ElementsAre("cat"), ElementsAre("dog")));
  EXPECT_THAT(params({"editor.blend.words=[[cat],[big,dog]]"}).section("blend").get_string_lists("words"),
              ElementsAre(ElementsAre("cat"), ElementsAre("big", "dog")));
}

// As Hydra: a key is added to a dict with a plus only, and a scalar replaces the whole of it.
TEST_F(EditorLine, MergesADictIntoADict) {
  EXPECT_THAT(params({"+editor.weights={red: 3}"}).get_weights("weights"), ElementsAre(Pair("red", 3.0)));
  EXPECT_THAT(params({"+editor.weights.red=3"}).get_weights("weights"), ElementsAre(Pair("red", 3.0)));
  EXPECT_THAT(params({"+editor.bounds={red: 3}"}).get_weights("bounds"),
              ElementsAre(Pair("default", .4), Pair("red", 3.0)));
  EXPECT_THAT(params({"editor.bounds={default: 3}"}).get_weights("bounds"), ElementsAre(Pair("default", 3.0)));
  EXPECT_THAT(params({"editor.bounds=.5"}).get_floats("bounds"), ElementsAre(.5));
  EXPECT_THAT(params({"+editor.blend.minus=[sky]"}).section("blend").get_strings("minus"), ElementsAre("sky"));
  EXPECT_EQ(roundtrip::testing::kind_of([&] { params({"editor.weights={red: 3}"}); }), ErrorKind::kCompose);
}

TEST_F(EditorLine, IsTheOriginOfWhatItSets) {
  EXPECT_THAT(refusal([&] { params({"editor.blend.start=x"}).section("blend").get_float("start"); }),
              HasSubstr("command line: editor.blend.start: found 'x' of type str; expected float"));
}

}  // namespace
}  // namespace roundtrip::config
