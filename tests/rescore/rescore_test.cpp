// What a run kept, scored once more: by the run's own means, from the bytes that it kept, without touching it.
#include "rescore/rescore.h"

#include <cmath>

#include <gmock/gmock.h>
#include <torch/script.h>

#include "session/pixels.h"
#include "store/rewrite.h"
#include "support/empty_module_home.h"
#include "support/error_of.h"
#include "support/sweep_fixture.h"

namespace roundtrip::rescore {
namespace {

namespace fs = std::filesystem;

using at::Tensor;
using ::roundtrip::testing::error_of;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Bytes are half a step of 1/255 from what the run scored, or less; sources are what they were.
constexpr double kRounding = 1.0 / 510 + 1e-6;

double rms_of(double psnr) { return std::pow(10, -psnr / 20); }

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Rescored : public testing::SweepFixture {
 protected:
  hydra::Node names(const std::vector<std::string>& metrics) const {
    hydra::Node::List items;
    for (const std::string& name : metrics) items.emplace_back(name);
    return hydra::Node(std::move(items));
  }

  RescoreOptions options(const std::vector<std::string>& metrics, const std::string& output = "rescored.h5") const {
    return {.results = folder_ / "out" / "results.h5",
            .output = folder_ / output,
            .settings = {{"metrics", names(metrics)}, {"engine.threads", hydra::Node(1)}},
            .log = log_};
  }

  std::string refusal(const RescoreOptions& asked, ErrorKind kind = ErrorKind::kInput) const {
    const std::string message = error_of([&] { rescore(asked); }, kind);
    EXPECT_FALSE(fs::exists(asked.output) && asked.output.filename() == "rescored.h5") << "something was written";
    return message;
  }

  // A distance that tells pictures apart, in a module like those of scripts/export_lpips.py.
  fs::path lpips_module(const std::string& factor) const {
    torch::jit::Module module("Lpips");
    module.define("def forward(self, a, b):\n  return " + factor + " * (a - b).abs().mean([1, 2, 3])\n");
    const fs::path file = folder_ / ("lpips" + factor + ".pt");
    module.save(file.string(),
                {{"lpips.json", R"({"net": "squeeze", "version": "0.1", "trunk_sha256": "0123456789abcdef",
                                                   "heads_sha256": "fedcba9876543210"})"}});
    return file;
  }

  // A row's picture and its source, [2, H, W, 3] float64 bytes.
  at::Tensor pictures(const store::ResultsReader& results, int64_t row) const {
    std::vector<at::Tensor> both;
    for (const char* group : {"images", "sources"}) {
      store::Array array = results.array(fmt::format("{}/{}", group, row));
      both.push_back(at::from_blob(array.bytes.data(), array.shape, at::kByte).to(at::kDouble));
    }
    return at::stack(both);
  }
};

TEST(Pixels, OfBytesAreThoseBytes) {
  data::Image image{.height = 16, .width = 16, .rgb = {}};
  for (int value = 0; value < 16 * 16 * 3; ++value) image.rgb.push_back(static_cast<uint8_t>(value % 256));
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const Tensor bytes = session::to_bytes(session::to_pixels(image, at::dtype(type)));
    const uint8_t* first = bytes.const_data_ptr<uint8_t>();
    EXPECT_EQ(std::vector<uint8_t>(first, first + bytes.numel()), image.rgb);
  }
}

TEST_F(Rescored, GivesTheRunsOwnNumbersUpToTheRounding) {
  run(plan({"-m", "steps=2,3", "save.images=all", "metrics=[mse,psnr]"}), "out");
  run(plan({"-m", "steps=2,3", "metrics=[ssim]"}), "other");
  const std::string before = bytes_of(folder_ / "out/results.h5");
  const RescoreOutcome outcome = rescore(options({"psnr", "ssim"}));
  EXPECT_EQ(outcome.scored, 6);
  EXPECT_EQ(outcome.not_kept + outcome.failed, 0);
  EXPECT_EQ(bytes_of(folder_ / "out/results.h5"), before);

  const store::ResultsReader was(folder_ / "out/results.h5"), is(folder_ / "rescored.h5"),
      other(folder_ / "other/results.h5");
  const auto psnr = is.numbers("psnr"), of_run = was.numbers("psnr"), ssim = is.numbers("ssim"),
             of_other = other.numbers("ssim");
  for (int64_t row = 0; row < 6; ++row) {
    const at::Tensor both = pictures(is, row) / 255;
    EXPECT_NEAR(psnr[row], -10 * std::log10((both[0] - both[1]).square().mean().item<double>()), 1e-4);
    EXPECT_NE(psnr[row], of_run[row]);
    EXPECT_NEAR(rms_of(psnr[row]), rms_of(of_run[row]), kRounding);
    EXPECT_NEAR(ssim[row], of_other[row], 2e-3);
  }
  EXPECT_EQ(is.numbers("mse"), was.numbers("mse"));
}

TEST_F(Rescored, KeepsAllElseOfTheRun) {
  run(plan({"-m", "steps=2,3", "save.images=all", "save.trajectories=true"}), "out");
  rescore(options({"ssim", "psnr"}));
  const store::ResultsReader was(folder_ / "out/results.h5"), is(folder_ / "rescored.h5");
  EXPECT_EQ(is.trial_ids(), was.trial_ids());
  EXPECT_EQ(is.trial_configs(), was.trial_configs());
  EXPECT_EQ(is.plan_rows(), was.plan_rows());
  EXPECT_EQ(is.steps().pivot_distance, was.steps().pivot_distance);
  EXPECT_TRUE(is.complete());
  std::vector<std::string> names;
  for (const store::Column& column : was.columns()) {
    names.push_back(column.name);
    if (column.name == "latent_mse") names.push_back("ssim");  // the last metric of the run
    if (column.name == "psnr") continue;
    if (column.type == store::ColumnType::kString) {
      EXPECT_EQ(is.texts(column.name), was.texts(column.name)) << column.name;
    } else {
      EXPECT_THAT(is.numbers(column.name),
                  ::testing::Pointwise(::testing::NanSensitiveDoubleEq(), was.numbers(column.name)))
          << column.name;
    }
  }
  std::vector<std::string> now;
  for (const store::Column& column : is.columns()) {
    now.push_back(column.name);
    if (column.name == "psnr" || column.name == "ssim") {
      EXPECT_EQ(column.version, "1, of pictures as bytes");
    }
    if (column.name == "codec_psnr") {
      EXPECT_EQ(column.version, "1");
    }
  }
  EXPECT_EQ(now, names);
  for (int64_t row = 0; row < was.records(); ++row) {
    EXPECT_EQ(is.array_paths(row), was.array_paths(row));
    for (const std::string& path : was.array_paths(row)) EXPECT_EQ(is.array(path).bytes, was.array(path).bytes) << path;
  }
}

TEST_F(Rescored, ASecondTimeGivesTheSameBitsAndSaysBothTimes) {
  run(plan({"-m", "steps=2,3", "save.images=all"}), "out");
  rescore(options({"ssim"}));
  RescoreOptions again = options({"ssim", "psnr"}, "again.h5");
  again.results = folder_ / "rescored.h5";
  const RescoreOutcome outcome = rescore(again);
  const store::ResultsReader once(folder_ / "rescored.h5"), twice(folder_ / "again.h5");
  EXPECT_EQ(once.numbers("ssim"), twice.numbers("ssim"));
  EXPECT_EQ(once.provenance().at("rescored_metrics"), "ssim");
  EXPECT_EQ(twice.provenance().at("rescored_metrics"), "ssim\nssim, psnr");
  EXPECT_EQ(twice.provenance().at("rescored_records"), "6 of 6\n6 of 6");
  EXPECT_EQ(twice.provenance().at("started_utc"), once.provenance().at("started_utc"));
  for (const char* word : {"steps", "images", "mse", "psnr", "latent_mse", "ssim", "NFE"}) {
    EXPECT_THAT(outcome.table, HasSubstr(word));
  }
}

TEST_F(Rescored, CountsRecordsWithoutAPictureAndInventsNothing) {
  run(plan({"-m", "save.images=none,all", "steps=2"}), "out");
  const RescoreOutcome outcome = rescore(options({"psnr", "ssim"}));
  EXPECT_EQ(outcome.records, 6);
  EXPECT_EQ(outcome.scored, 3);
  EXPECT_EQ(outcome.not_kept, 3);
  EXPECT_THAT(outcome.table, AllOf(HasSubstr("save.images"), HasSubstr("none"), HasSubstr("all")));
  const store::ResultsReader is(folder_ / "rescored.h5");
  for (const char* metric : {"psnr", "ssim"}) {
    const std::vector<double> values = is.numbers(metric);
    EXPECT_THAT(std::vector<double>(values.begin(), values.begin() + 3), Each(::testing::IsNan())) << metric;
    EXPECT_THAT(std::vector<double>(values.begin() + 3, values.end()), Each(::testing::Not(::testing::IsNan())))
        << metric;
  }
}

TEST_F(Rescored, PassesOverRecordsThatFailed) {
  std::ofstream(folder_ / "photos" / "broken.png") << "not a png";
  run(plan({"steps=2", "save.images=all"}), "out");
  const RescoreOutcome outcome = rescore(options({"ssim"}));
  EXPECT_EQ(outcome.scored, 3);
  EXPECT_EQ(outcome.failed, 1);
  EXPECT_THAT(outcome.table, HasSubstr("3 (1 failed)"));
  const store::ResultsReader is(folder_ / "rescored.h5");
  EXPECT_EQ(is.texts("status").at(0), "failed");  // broken
  EXPECT_TRUE(std::isnan(is.numbers("ssim").at(0)));
}

TEST_F(Rescored, OfAStoppedRunAreTheRecordsThatThereAre) {
  int calls = 0;
  const run::RunOutcome part =
      run(plan({"-m", "steps=2,3", "save.images=all", "engine.max_live=1", "engine.max_batch=1"}), "out",
          [&] { return ++calls > 30; });
  ASSERT_TRUE(part.interrupted);
  ASSERT_GT(part.records, 0);
  ASSERT_LT(part.records, 6);
  const RescoreOutcome outcome = rescore(options({"ssim"}));
  EXPECT_EQ(outcome.scored, part.records);
  EXPECT_FALSE(store::ResultsReader(folder_ / "rescored.h5").complete());
}

TEST_F(Rescored, AsksTheModuleThatIsNamedElseTheRuns) {
  const fs::path one = lpips_module("1"), three = lpips_module("3");
  run(plan({"steps=2", "save.images=all", "lpips.path=" + one.string()}), "out");
  rescore(options({"lpips"}));
  RescoreOptions other = options({"lpips"}, "other.h5");
  other.settings["lpips.path"] = hydra::Node(three.string());
  rescore(other);
  const store::ResultsReader is(folder_ / "rescored.h5"), of_other(folder_ / "other.h5");
  for (int64_t row = 0; row < 3; ++row) {
    const at::Tensor both = pictures(is, row) / 127.5 - 1;
    const double distance = (both[0] - both[1]).abs().mean().item<double>();
    EXPECT_NEAR(is.numbers("lpips")[row], distance, 1e-5);
    EXPECT_NEAR(of_other.numbers("lpips")[row], 3 * distance, 1e-5);
  }
  const auto column = std::ranges::find(is.columns(), "lpips", &store::Column::name);
  ASSERT_NE(column, is.columns().end());
  EXPECT_EQ(column->version, "0.1 squeeze, trunk 0123456789ab, heads fedcba987654, of pictures as bytes");
  EXPECT_THAT(of_other.provenance().at("rescored_modules"), ::testing::MatchesRegex("metric.lpips.path [0-9a-f]{64}"));
}

TEST_F(Rescored, RefusesTwoModulesInOneColumn) {
  const fs::path one = lpips_module("1"), three = lpips_module("3");
  run(plan({"-m", "steps=2", "save.images=all", "lpips.path=" + one.string() + "," + three.string()}), "out");
  EXPECT_THAT(refusal(options({"lpips"}), ErrorKind::kMissing), HasSubstr("lpips.path: the run has"));
}

TEST_F(Rescored, RefusesWhatItCannotScore) {
  run(plan({"steps=2", "save.images=all"}), "out");
  EXPECT_THAT(refusal(options({"latent_mse"})), HasSubstr("latent_mse compares latents, which no run keeps; expected"));
  EXPECT_THAT(refusal(options({"psnr", "lpips"}), ErrorKind::kMissing), HasSubstr("scripts/get_metric lpips-squeeze"));
  EXPECT_THAT(refusal(options({}), ErrorKind::kType), HasSubstr("metrics: found []"));
  EXPECT_THAT(refusal(options({"psrn"}), ErrorKind::kType), HasSubstr("Did you mean 'psnr'?"));
  RescoreOptions missing = options({"lpips"});
  missing.settings["lpips.path"] = hydra::Node("nowhere.pt");
  EXPECT_THAT(refusal(missing), HasSubstr("nowhere.pt"));
}

TEST_F(Rescored, OfARunWithoutPicturesSaysWhatKeepsThem) {
  run(plan({"steps=2"}), "out");
  EXPECT_THAT(refusal(options({"psnr"})), HasSubstr("no picture is kept of its 3 records; expected a run with "
                                                    "save.images=all"));
}

TEST_F(Rescored, WritesOverNothing) {
  run(plan({"steps=2", "save.images=all"}), "out");
  const std::string before = bytes_of(folder_ / "out/results.h5");
  EXPECT_THAT(refusal(options({"psnr"}, "out/results.h5")), HasSubstr("the name of a run's own results"));
  EXPECT_THAT(refusal(options({"psnr"}, "new/results.h5")), HasSubstr("the name of a run's own results"));
  std::ofstream(folder_ / "there.h5") << "something else";
  EXPECT_THAT(refusal(options({"psnr"}, "there.h5")), HasSubstr("is there already"));
  EXPECT_EQ(bytes_of(folder_ / "there.h5"), "something else");
  EXPECT_EQ(bytes_of(folder_ / "out/results.h5"), before);
  rescore(options({"psnr"}, "a/new/folder.h5"));
  EXPECT_TRUE(fs::exists(folder_ / "a/new/folder.h5"));
}

TEST_F(Rescored, StoppedWritesNothing) {
  run(plan({"steps=2", "save.images=all"}), "out");
  RescoreOptions asked = options({"psnr"}, "sub/rescored.h5");
  asked.stop = [] { return true; };
  EXPECT_TRUE(rescore(asked).interrupted);
  EXPECT_FALSE(fs::exists(folder_ / "sub"));
}

TEST_F(Rescored, NeedsNoDatasetForPicturesAlone) {
  run(plan({"steps=2", "save.images=all"}), "out");
  fs::remove_all(folder_ / "photos");
  EXPECT_EQ(rescore(options({"ssim"})).scored, 3);
}

// A classifier that reads its answers off the picture's first values.
class RescoredCaptions : public Rescored {
 protected:
  void SetUp() override {
    Rescored::SetUp();
    caption("green");
    torch::jit::Module module("Classifier");
    module.define("def forward(self, x):\n  return x.flatten(1)[:, :7]\n");
    module.save((folder_ / "attributes.pt").string(), {{"attributes.json", R"({"version": "abc", "heads": [
        {"kind": "background", "place": "", "answers": ["green", "grey"]},
        {"kind": "colour", "place": "on the left", "answers": ["red", "blue", "nothing"]},
        {"kind": "size", "place": "on the left", "answers": ["small", "large"]}]})"}});
    words_ = {"steps=2", "save.images=all", "metrics=[attribute_accuracy]",
              "attributes.path=" + (folder_ / "attributes.pt").string()};
  }
  void caption(const std::string& background, int without = -1) const {
    std::ofstream file(folder_ / "photos/metadata.jsonl");
    for (int k = 0; k < 3; ++k) {
      if (k == without) continue;
      file << fmt::format(R"({{"file_name": "p{}.png", "text": "a {} red circle on the left, on a {} background"}})", k,
                          k == 1 ? "small" : "large", background)
           << "\n";
    }
  }
  std::vector<std::string> words_;
};

TEST_F(RescoredCaptions, AreThoseOfTheDataset) {
  run(plan(words_), "out");
  rescore(options({"attribute_accuracy"}));
  const store::ResultsReader was(folder_ / "out/results.h5"), is(folder_ / "rescored.h5");
  EXPECT_EQ(is.numbers("attribute_accuracy"), was.numbers("attribute_accuracy"));
  EXPECT_THAT(is.numbers("attribute_accuracy"), Each(::testing::Not(::testing::IsNan())));
}

TEST_F(RescoredCaptions, AreRefusedWhereTheDatasetHasChangedOrIsGone) {
  run(plan(words_), "out");
  caption("grey");
  EXPECT_THAT(refusal(options({"attribute_accuracy"})),
              HasSubstr("sample p0: its image, prompt or edits are not those of the run"));
  caption("green", 1);
  fs::rename(folder_ / "photos/p1.png", folder_ / "p1.png");
  EXPECT_THAT(refusal(options({"attribute_accuracy"})), HasSubstr("photos: the run's sample p1 is not there"));
  fs::rename(folder_ / "p1.png", folder_ / "photos/p1.png");
  caption("green");
  fs::rename(folder_ / "photos", folder_ / "moved");
  EXPECT_THAT(refusal(options({"attribute_accuracy"})), HasSubstr("photos' does not exist"));
  RescoreOptions moved = options({"attribute_accuracy"});
  moved.settings["dataset.path"] = hydra::Node((folder_ / "moved").string());
  EXPECT_EQ(rescore(moved).scored, 3);
}

// An edit with an answer and a mask, and one with neither.
class RescoredEdits : public Rescored {
 protected:
  void SetUp() override {
    Rescored::SetUp();
    fs::create_directories(folder_ / "photos/t");
    write_photo("t/answer.png", 4);
    mask(16);
    std::ofstream(folder_ / "photos/metadata.jsonl")
        << R"({"file_name": "p0.png", "text": "a red circle", "target_text": "a blue circle", "edit": "colour", )"
        << R"("target_image": "t/answer.png", "mask": "t/mask.png"})" << "\n"
        << R"({"file_name": "p0.png", "text": "a red circle", "target_text": "a red square", "edit": "shape"})" << "\n";
  }
  void mask(int edge) const {
    data::Image image{.height = 32, .width = 32, .rgb = {}};
    for (int value = 0; value < 32 * 32 * 3; ++value) image.rgb.push_back(value / 3 % 32 < edge ? 255 : 0);
    data::write_png(folder_ / "photos/t/mask.png", image);
  }
};

TEST_F(RescoredEdits, AreHeldAgainstTheirAnswersAsInTheRun) {
  run(plan({"-m", "task=reconstruct,edit", "steps=2", "save.images=all", "metrics=[mse]"}), "out");
  rescore(options({"mse", "psnr"}));
  const store::ResultsReader was(folder_ / "out/results.h5"), is(folder_ / "rescored.h5");
  ASSERT_THAT(is.texts("edit"), ElementsAre("", "", "", "colour", "shape"));
  for (const char* column : {"mse", "edit_mse", "background_mse", "background_zeroed_mse"}) {
    const double ours = is.numbers(column).at(3), theirs = was.numbers(column).at(3);
    EXPECT_NE(ours, theirs) << column;
    EXPECT_NEAR(std::sqrt(ours), std::sqrt(theirs), kRounding) << column;
  }
  EXPECT_NEAR(is.numbers("edit_psnr").at(3), -10 * std::log10(is.numbers("edit_mse").at(3)), 1e-9);
  EXPECT_NEAR(is.numbers("background_psnr").at(3), -10 * std::log10(is.numbers("background_mse").at(3)), 1e-9);
  for (const char* column : {"edit_mse", "background_mse", "edit_psnr"}) {
    EXPECT_TRUE(std::isnan(is.numbers(column).at(0))) << column;  // a reconstruction
    EXPECT_TRUE(std::isnan(is.numbers(column).at(4))) << column;  // neither answer nor mask
  }
}

TEST_F(RescoredEdits, AreRefusedWhereTheirAnswerHasChanged) {
  run(plan({"task=edit", "steps=2", "save.images=all", "metrics=[mse]"}), "out");
  mask(20);
  EXPECT_THAT(refusal(options({"mse"})), HasSubstr("sample p0: its image, prompt or edits are not those of the run"));
}

// Results that no run of this version wrote.
class RescoredOthers : public Rescored {
 protected:
  void SetUp() override {
    Rescored::SetUp();
    run(plan({"steps=2", "save.images=all"}), "made");
    const store::ResultsReader made(folder_ / "made/results.h5");
    layout_ = store::layout_of(made);
  }

  // A run of one record with two pictures of this shape.
  void write(int64_t trial, const std::vector<int64_t>& shape) const {
    store::RunStore store(folder_ / "out", layout_);
    const std::vector<std::byte> bytes(32 * 32 * 3, std::byte{7});
    const store::Record record{
        .plan_row = 0,
        .values = {{"trial", trial}, {"sample", std::string("p0")}, {"status", std::string("ok")}},
        .steps = {}};
    const std::vector<store::ArrayView> arrays = {
        {.path = "images/{row}", .type = store::ArrayType::kUint8, .shape = shape, .bytes = bytes},
        {.path = "sources/{row}", .type = store::ArrayType::kUint8, .shape = {32, 32, 3}, .bytes = bytes}};
    store.append(record, arrays);
    store.finish();
  }

  store::TableLayout layout_;
};

TEST_F(RescoredOthers, WithPicturesOfAnotherShapeAreRefused) {
  write(0, {32, 96});
  EXPECT_THAT(refusal(options({"psnr"})), HasSubstr(":/images/0: an array of shape [32, 96]; expected a picture"));
  fs::remove_all(folder_ / "out");
  write(0, {16, 64, 3});
  EXPECT_THAT(refusal(options({"psnr"})), HasSubstr("row 0: what came back has another size than its source"));
}

TEST_F(RescoredOthers, WithRecordsOfNoTrialAreRefused) {
  write(7, {32, 32, 3});
  EXPECT_THAT(refusal(options({"psnr"})), HasSubstr("a record of trial 7; expected 0 to 0"));
}

TEST_F(RescoredOthers, OlderThanAKeyHaveItsBuiltInValue) {
  std::string& config = layout_.trial_configs.at(0);
  const size_t at = config.find("\neta: ");
  ASSERT_NE(at, std::string::npos) << config;
  config.erase(at, config.find('\n', at + 1) - at);
  write(0, {32, 32, 3});
  EXPECT_EQ(rescore(options({"psnr"})).scored, 1);
  EXPECT_TRUE(std::isinf(store::ResultsReader(folder_ / "rescored.h5").numbers("psnr").at(0)));
}

// As versions wrote them in which metrics had no section of their own.
TEST_F(RescoredOthers, WithKeysThatWereRenamedAreRead) {
  std::string& config = layout_.trial_configs.at(0);
  const size_t at = config.find("metric:\n");
  ASSERT_NE(at, std::string::npos) << config;
  size_t end = at;
  do end = config.find('\n', end) + 1;
  while (config.compare(end, 1, " ") == 0);
  config.replace(at, end - at, "lpips:\n  path: nowhere.pt\nattributes:\n  path: null\nclip:\n  path: null\n");
  write(0, {32, 32, 3});
  EXPECT_EQ(rescore(options({"psnr"})).scored, 1);
  EXPECT_TRUE(std::isinf(store::ResultsReader(folder_ / "rescored.h5").numbers("psnr").at(0)));
}

}  // namespace
}  // namespace roundtrip::rescore
