#include "base/text.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace roundtrip {
namespace {

TEST(PythonRepr, MatchesPython) {
  EXPECT_EQ(python_repr(7.0), "7.0");
  EXPECT_EQ(python_repr(0.1), "0.1");
  EXPECT_EQ(python_repr(-0.0), "-0.0");
  EXPECT_EQ(python_repr(1e-4), "0.0001");
  EXPECT_EQ(python_repr(1e-5), "1e-05");
  EXPECT_EQ(python_repr(123456789012345680.0), "1.2345678901234568e+17");
  EXPECT_EQ(python_repr(1e15), "1000000000000000.0");
  EXPECT_EQ(python_repr(1e16), "1e+16");
  EXPECT_EQ(python_repr(5e-324), "5e-324");
  EXPECT_EQ(python_repr(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(python_repr(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(python_repr(std::nan("")), "nan");
}

TEST(NearestName, FindsWhatWasMeantAndNothingFarOff) {
  const std::vector<std::string> names = {"guidance_scale", "steps", "seed"};
  EXPECT_EQ(nearest_name("guidence_scale", names), "guidance_scale");
  EXPECT_EQ(nearest_name("setps", names), "steps");  // a transposition is one edit
  EXPECT_EQ(nearest_name("metrics", names), "");
  EXPECT_EQ(did_you_mean("sed", names), " Did you mean 'seed'?");
  EXPECT_EQ(did_you_mean("sed", {}), "");
}

TEST(EditDistance, CountsEditsAndTranspositions) {
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("ab", "ba"), 1);
}

TEST(Utf8, AcceptsWholeSequencesOnly) {
  EXPECT_TRUE(is_utf8("plain"));
  EXPECT_TRUE(is_utf8("na\xC3\xAFve \xF0\x9F\x99\x82"));
  EXPECT_FALSE(is_utf8("\xC3"));              // cut short
  EXPECT_FALSE(is_utf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));      // a surrogate
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));  // past U+10FFFF
  EXPECT_FALSE(is_utf8("\x80"));
}

TEST(Units, AreForPeople) {
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1.5 * 1024 * 1024), "1.5 MiB");
  EXPECT_EQ(seconds_text(3.14159), "3.1 s");
  EXPECT_EQ(seconds_text(125), "2 min 05 s");
  EXPECT_EQ(seconds_text(7260), "2 h 01 min");
  EXPECT_EQ(count_text(950), "950");
  EXPECT_EQ(count_text(2.8e6), "2800.0 k");
  EXPECT_EQ(count_text(28e6), "28.0 M");
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(trim("  x y\n"), "x y");
}

}  // namespace
}  // namespace roundtrip
