#include "base/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace roundtrip {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct AnimalInfo {
  static constexpr PluginKind kKind{.noun = "animal", .key = "zoo.animal", .unknown = ErrorKind::kInput};
  std::string name;
  int legs = 4;
};

class Animal {
 public:
  using Plugins = Registry<Animal, AnimalInfo, const std::string&>;
  virtual ~Animal() = default;
  virtual std::string says() const = 0;
};

class Cow : public Animal {  // takes nothing
 public:
  std::string says() const override { return "moo"; }
};

class Parrot : public Animal {  // takes the arguments
 public:
  explicit Parrot(const std::string& word) : word_(word) {}
  std::string says() const override { return word_; }

 private:
  std::string word_;
};

class Spider : public Animal {  // takes the info too
 public:
  Spider(const AnimalInfo& info, const std::string& word) : text_(info.name + " " + word) {}
  std::string says() const override { return text_; }

 private:
  std::string text_;
};

class Fish : public Animal {  // takes the info alone
 public:
  explicit Fish(AnimalInfo info) : legs_(info.legs) {}
  std::string says() const override { return std::string(legs_, '-'); }

 private:
  int legs_;
};

const Registered<Animal, Fish> fish({.name = "fish", .legs = 0});
const Registered<Animal, Spider> spider({.name = "spider", .legs = 8});
const Registered<Animal, Cow> cow({.name = "cow"});
const Registered<Animal, Parrot> parrot({.name = "parrot", .legs = 2});

using Animals = Animal::Plugins;

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorKind::kInternal, "");
}

TEST(Registry, MakesWhatRegisteredWithTheArgumentsThatItTakes) {
  EXPECT_EQ(Animals::make("cow", "hello")->says(), "moo");
  EXPECT_EQ(Animals::make("parrot", "hello")->says(), "hello");
  EXPECT_EQ(Animals::make("spider", "hello")->says(), "spider hello");
  EXPECT_EQ(Animals::make("fish", "hello")->says(), "");
}

TEST(Registry, ListsByName) {
  EXPECT_THAT(Animals::names(), ElementsAre("cow", "fish", "parrot", "spider"));
  EXPECT_THAT(Animals::infos(),
              ElementsAre(::testing::Field(&AnimalInfo::legs, 4), ::testing::Field(&AnimalInfo::legs, 0),
                          ::testing::Field(&AnimalInfo::legs, 2), ::testing::Field(&AnimalInfo::legs, 8)));
  EXPECT_EQ(Animals::info("spider").legs, 8);
  EXPECT_TRUE(Animals::has("cow"));
  EXPECT_FALSE(Animals::has("cows"));
}

TEST(Registry, NamesTheKeyAllNamesAndTheNearestForAnUnknownName) {
  for (const auto& use : {std::function<void()>([] { Animals::make("parot", ""); }),
                          std::function<void()>([] { Animals::info("parot"); })}) {
    const Error error = error_of(use);
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(
        error.message(),
        "zoo.animal: there is no animal 'parot'; expected one of cow, fish, parrot, spider. Did you mean 'parrot'?");
  }
  EXPECT_THAT(error_of([] { Animals::make("a\nb", ""); }).message(), HasSubstr("no animal 'a\\nb'"));
}

TEST(Registry, RefusesASecondPlugInOfTheSameName) {
  const Error error = error_of([] { Registered<Animal, Cow>({.name = "cow", .legs = 3}); });
  EXPECT_EQ(error.kind(), ErrorKind::kInternal);
  EXPECT_THAT(error.message(), HasSubstr("animal 'cow' is registered once"));
  EXPECT_EQ(Animals::info("cow").legs, 4);
}

}  // namespace
}  // namespace roundtrip
