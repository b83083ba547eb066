#include "run/runner.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/progress.h"
#include "base/text.h"
#include "run/recorder.h"
#include "run/session_run.h"
#include "run/time_profile.h"

namespace roundtrip::run {
namespace {

constexpr double kSecondsBetweenLooks = 1;

// Provenance of a results file, for a run that may take several processes.
class RunProvenance {
 public:
  RunProvenance(store::RunStore& store, bool resumed) : store_(store), started_(utc_now()) {
    const Provenance& before = store.layout().provenance;
    const auto number = [&](const char* key) {
      const auto found = before.find(key);
      return found == before.end() ? 0.0 : std::atof(found->second.c_str());
    };
    if (!resumed) return;
    seconds_before_ = number("seconds");
    rows_before_ = static_cast<int64_t>(number("evaluations_made"));
    const auto times = before.find("resumed_utc");
    store.set_provenance("resumed_utc", times == before.end() ? started_ : times->second + ", " + started_);
  }

  void add_session(const std::string& prefix, const session::Session& session) {
    store_.set_provenance(prefix + "model_digest", session.model().digest());
    store_.set_provenance(prefix + "max_batch", fmt::format("{}", session.max_batch()));
    store_.set_provenance(prefix + "threads", fmt::format("{}", at::get_num_threads()));
    store_.set_provenance(prefix + "notes", join(session.notes(), "\n"));
  }

  void finish(const plan::Plan& plan, int64_t rows, const std::string& inputs_digest, const TimeProfile& profile) {
    for (const auto& [key, value] : machine_provenance()) store_.set_provenance(key, value);
    store_.set_provenance("finished_utc", utc_now());
    store_.set_provenance("seconds", fmt::format("{:.3f}", seconds_before_ + stopwatch_.seconds()));
    store_.set_provenance("evaluations_asked", fmt::format("{}", plan.asked.most.forward));
    store_.set_provenance("evaluations_made", fmt::format("{}", rows_before_ + rows));
    store_.set_provenance("inputs_digest", inputs_digest);
    store_.set_provenance("time_profile", profile.json());
  }

 private:
  store::RunStore& store_;
  Stopwatch stopwatch_;
  std::string started_;
  double seconds_before_ = 0;
  int64_t rows_before_ = 0;
};

// Remaining evaluations: exact for a new run, in proportion to the records for a resumed one.
int64_t evaluations_left(const plan::Plan& plan, const store::RunStore& store) {
  if (plan.records == 0) return 0;
  const double left = static_cast<double>(plan.records - store.written()) / static_cast<double>(plan.records);
  return static_cast<int64_t>(static_cast<double>(plan.made.most.forward) * left);
}

}  // namespace

RunOutcome run_plan(const plan::Plan& plan, const RunOptions& options) {
  Provenance provenance = options.provenance;
  provenance["started_utc"] = utc_now();
  store::RunStore opened = open_store(plan, options.directory, options.resume, provenance);
  if (options.on_directory) options.on_directory();
  const int64_t again = options.retry_failed ? forget_failures(opened) : 0;
  const int64_t found = opened.written();

  Progress progress(options.log, evaluations_left(plan, opened));
  Recorder recorder(plan, std::move(opened), progress);
  store::RunStore& store = recorder.store();
  RunProvenance run_provenance(store, options.resume != Resume::kNo);
  if (options.resume != Resume::kNo) {
    progress.line(fmt::format("{} of {} records are there{}", found, plan.records,
                              again > 0 ? fmt::format(", {} failed ones are made anew", again) : ""));
  }

  RunOutcome outcome;
  int64_t rows_before = 0;
  TimeProfile profile;
  Stopwatch since_look;
  const auto stop = [&] {
    outcome.interrupted = options.stop && options.stop();
    outcome.gave_up = options.max_failures && recorder.failed_now() > *options.max_failures;
    return outcome.interrupted || outcome.gave_up;
  };
  for (size_t b = 0; b < plan.sessions.size() && !stop(); ++b) {
    const plan::PlanSession& entry = plan.sessions[b];
    if (!lacks_records(plan, entry, store)) continue;
    session::Session session(entry.options);
    run_provenance.add_session(plan.sessions.size() == 1 ? "" : fmt::format("bench{}.", b), session);
    for (const std::string& note : session.notes()) progress.line("note: " + note);
    SessionRun session_run(plan, entry, session, recorder, [&](int64_t rows) {
      store.sync_if_due();
      progress.update(rows_before + rows, recorder.text());
      if (since_look.seconds() >= kSecondsBetweenLooks) {
        store.show_progress(progress.state());
        since_look = Stopwatch();
      }
      return stop();
    });
    const Stopwatch stopwatch;
    session_run.run();
    profile.add(session.engine(), stopwatch.seconds(), session.max_batch());
    rows_before += session_run.rows();
  }
  progress.update(rows_before, recorder.text());
  progress.finish();
  recorder.say_notes();
  if (const std::string text = profile.text(); !text.empty()) progress.line(text);

  run_provenance.finish(plan, rows_before, recorder.inputs_digest(), profile);
  outcome.evaluations = rows_before;
  outcome.results = store.finish();
  analysis::RunTable table =
      analysis::read_run_table(store::ResultsReader(outcome.results), plan::settings_of(plan.trials));
  outcome.records = table.records;
  outcome.failures = std::move(table.failures);
  outcome.table = std::move(table.text);
  return outcome;
}

}  // namespace roundtrip::run
