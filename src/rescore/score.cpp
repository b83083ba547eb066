#include "rescore/score.h"

#include <algorithm>
#include <climits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/progress.h"
#include "base/text.h"
#include "columns/columns.h"
#include "data/image_file.h"
#include "plan/record_identity.h"
#include "plan/trial.h"
#include "rescore/labels.h"
#include "rescore/no_network.h"
#include "rescore/picture_folder.h"
#include "rescore/rescore.h"
#include "session/device.h"
#include "session/edit_scores.h"
#include "session/pixels.h"
#include "store/run_store.h"

namespace roundtrip::rescore {
namespace {

namespace fs = std::filesystem;
using at::Tensor;
using engine::Task;

// Growth of the heap after which freed memory is returned. Each picture fragments it by about a megabyte; returning
// after every batch cost 7 ms a picture.
constexpr int64_t kGaps = int64_t{128} << 20;

// A picture to be scored: of an edit, or of a sample as a whole.
struct Place {
  size_t sample = 0, edit = 0;
  int64_t row = 0;
};

data::DatasetOptions dataset_options(const plan::Trial& trial) {
  data::DatasetOptions options = trial.dataset;
  if (const auto side = trial.protocol.resolution) options.size = {*side, *side};
  return options;
}

std::vector<Place> places_of(const data::Dataset& dataset, bool edits) {
  std::vector<Place> places;
  for (size_t sample = 0; sample < dataset.ids().size(); ++sample) {
    const size_t count = edits ? dataset.edits(sample).size() : 1;
    for (size_t edit = 0; edit < count; ++edit) places.push_back({sample, edit, std::ssize(places)});
  }
  return places;
}

class Scoring {
 public:
  Scoring(const plan::Trial& trial, const data::Dataset& dataset, PictureFolder& pictures, session::Scorer& scorer,
          at::Device device, std::map<std::string, store::Value> axes, store::RunStore& store)
      : trial_(trial),
        dataset_(dataset),
        pictures_(pictures),
        scorer_(scorer),
        device_(device),
        axes_(std::move(axes)),
        store_(store) {}

  // Returns whether all were scored before `stop` was true.
  bool run(const std::vector<Place>& places, Progress& progress, const std::function<bool()>& stop) {
    NoNetwork network;
    engine::Engine engine(network, {.batch = {.max_batch = kBatch, .fixed_shape = true}, .max_live = kBatch});
    const data::Image first = dataset_.read(0).pixels;
    const auto scores_whole = [&](const metrics::MetricInfo& metric) {
      return session::scores_whole(trial_.protocol, metric, trial_.edits);
    };
    scorer_.join(engine, session::pictures_at_once(int64_t{first.height} * first.width, kBatch), scores_whole);
    size_t next = 0;
    const auto source = [&]() -> std::optional<Task<void>> {
      if (next == places.size()) return std::nullopt;
      return score(places[next++]);
    };
    const auto state = [&] { return fmt::format("records {}/{}", store_.written(), places.size()); };
    ReturnOfGaps gaps(kGaps);
    int64_t looked_at = 0;  // records written when `gaps` last looked; first after two batches, as the heap settles
    const bool whole = engine.run(source, [&] {
      if (store_.written() >= looked_at + 2 * kBatch) {
        gaps.after_step();
        looked_at = store_.written();
      }
      store_.sync_if_due();
      progress.update(store_.written(), state());
      return stop && stop();
    });
    progress.update(store_.written(), state());
    progress.finish();
    return whole;
  }

  // What was done to pictures and edits, with a picture of each.
  const std::map<std::string, std::set<std::string>>& notes() const { return notes_; }

 private:
  std::string edit_name(const Place& place) const {
    const std::vector<data::EditName> edits = dataset_.edits(place.sample);
    return trial_.edits && edits.size() > 1 ? plan::edit_text(edits[place.edit]) : "";
  }

  data::Image read_picture(const Place& place, const data::Image& source) {
    const fs::path file = pictures_.find(dataset_.ids()[place.sample], edit_name(place));
    const std::string bytes = read_file(file, INT_MAX);
    data::Decoded decoded =
        data::decode_image({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, file.string());
    int height = source.height, width = source.width;
    if (trial_.protocol.resolution) {  // then the picture has a size of its own
      height = decoded.image.height;
      width = std::min(decoded.image.width, height * source.width / source.height);
    }
    const data::Image panel = panel_of(decoded.image, height, width, file.string(), decoded.notes);
    for (const std::string& note : decoded.notes) notes_[note].insert(dataset_.ids()[place.sample]);
    return session::resized(trial_.protocol, panel);
  }

  Task<void> fill(Place place, store::Record& record) {
    const at::TensorOptions like = at::dtype(at::kFloat).device(device_);
    const data::Sample sample = dataset_.read(place.sample);
    const Tensor source = session::to_pixels(sample.pixels, like);
    const Tensor none = at::zeros({0});
    session::Pair pair{.reference = source,
                       .test = session::to_pixels(read_picture(place, sample.pixels), like),
                       .x0 = none,
                       .x = none,
                       .caption = dataset_.prompt(place.sample)};
    std::optional<session::EditTarget> target;
    if (trial_.edits) {
      const data::EditTruth truth = dataset_.read_edit(place.sample, place.edit, sample.stored);
      for (const std::string& note : truth.notes) notes_[note].insert(dataset_.ids()[place.sample]);
      target = session::edit_target(dataset_.edits(place.sample)[place.edit].target_prompt, truth, source);
      target->source_prompt = dataset_.prompt(place.sample);
    }
    Task<session::Scores> scoring = session::all_scores(scorer_, trial_.protocol, std::move(pair), std::move(target));
    const session::Scores scores = co_await scoring;
    session::fill_scores(record, trial_.metrics, trial_.protocol, scores);
  }

  Task<void> score(Place place) {
    store::Record record{.plan_row = place.row, .values = axes_, .steps = {}};
    store::set(record, columns::kTrial, 0);
    store::set(record, columns::kSample, dataset_.ids()[place.sample]);
    store::set(record, columns::kInputDigest, plan::short_digest(dataset_, place.sample));
    if (trial_.edits) {
      const data::EditName edit = dataset_.edits(place.sample)[place.edit];
      store::set(record, columns::kEdit, plan::edit_text(edit));
      store::set(record, columns::kEditType, plan::edit_type(edit));
    }
    try {
      Task<void> filling = fill(place, record);
      co_await filling;
      store::set(record, columns::kStatus, "ok");
    } catch (const std::exception& error) {
      store::set(record, columns::kStatus, "failed");
      store::set(record, columns::kError, split(error.what(), '\n').front());
    }
    store_.append(record);
  }

  const plan::Trial& trial_;
  const data::Dataset& dataset_;
  PictureFolder& pictures_;
  session::Scorer& scorer_;
  at::Device device_;
  std::map<std::string, store::Value> axes_;
  store::RunStore& store_;
  std::map<std::string, std::set<std::string>> notes_;
};

store::TableLayout layout_of(const ScoreOptions& options, const plan::Trial& trial, const session::Scorer& scorer,
                             const Labels& labels, int64_t planned) {
  std::vector<store::Column> scores;
  for (const auto& metric : scorer.metrics()) {
    for (store::Column& column :
         session::score_columns(metric->info(), trial.protocol, trial.edits, /*with_floor=*/false)) {
      scores.push_back(std::move(column));
    }
  }
  store::TableLayout layout;
  layout.columns = columns::table_columns(labels.parameters, scores);
  std::set<std::string> unknown;  // how another program made its pictures
  for (const auto& columns : {columns::cost_columns(), columns::noise_columns()}) {
    for (const store::Column& column : columns) unknown.insert(column.name);
  }
  std::erase_if(layout.columns, [&](const store::Column& column) { return unknown.contains(column.name); });
  layout.attributes["title"] = "roundtrip: scores of pictures, one row per edit";
  layout.trial_configs = {trial.config_yaml};
  layout.provenance = options.provenance;
  layout.provenance["pictures"] = options.pictures.string();
  layout.planned_records = planned;
  return layout;
}

}  // namespace

ScoreOutcome score_pictures(const ScoreOptions& options) {
  plan::Trial trial = plan::read_scoring(options.config);
  // The released evaluation looks at the background alone, and pictures of others may be many.
  trial.protocol.whole_perceptual = trial.protocol.pie != session::Pie::kReleased;
  const auto dataset = data::open_dataset(dataset_options(trial));
  PictureFolder pictures(options.pictures);
  const std::vector<Place> places = places_of(*dataset, trial.edits);
  if (places.empty()) {
    throw input_error(trial.dataset.path.string(), "no image has an edit",
                      "a dataset of edits, or task=reconstruct to compare pictures with their sources");
  }
  session::configure_process(trial.engine);
  const at::Device device = session::Device(trial.engine.device).torch();
  session::Scorer scorer(trial.metrics, trial.metric_params, device);
  refuse_what_cannot_score(scorer);
  Labels labels = read_labels(options.config, trial, options.pictures);

  run::Provenance provenance = run::machine_provenance();
  provenance["started_utc"] = run::utc_now();
  store::RunStore store(options.directory, layout_of(options, trial, scorer, labels, std::ssize(places)));
  for (const auto& [key, value] : provenance) store.set_provenance(key, value);
  Progress progress(options.log, std::ssize(places));
  Scoring scoring(trial, *dataset, pictures, scorer, device, labels.values, store);

  ScoreOutcome outcome{.planned = std::ssize(places), .failures = {}, .unused = {}};
  outcome.interrupted = !scoring.run(places, progress, options.stop);
  for (const auto& [note, samples] : scoring.notes()) {
    progress.line(samples.size() == 1
                      ? fmt::format("note: {}: {}", *samples.begin(), note)
                      : fmt::format("note: {} pictures, {} among them: {}", samples.size(), *samples.begin(), note));
  }
  store.set_provenance("finished_utc", run::utc_now());
  outcome.results = store.finish();
  analysis::RunTable table = analysis::read_run_table(store::ResultsReader(outcome.results), {labels.values});
  outcome.records = table.records;
  outcome.failures = std::move(table.failures);
  outcome.table = std::move(table.text);
  const bool all = trial.dataset.ids.empty() && !trial.dataset.limit && !outcome.interrupted;
  if (all) outcome.unused = pictures.unused();
  return outcome;
}

}  // namespace roundtrip::rescore
