// Killed writers, full disks, folders that cannot be written: nothing that was finished is lost.
#include <chrono>
#include <functional>
#include <random>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/example.h"
#include "store/results_reader.h"

namespace roundtrip::store {
namespace {

using example::error_of;
using example::Folder;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr int64_t kPlanned = 1'000'000;
constexpr StoreOptions kSmallShards{.records_per_shard = 100, .sync_seconds = 0.01};

// Runs `body` in a child process and gives its exit status; a child that throws exits with 99.
pid_t fork_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      _exit(body());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
      _exit(99);
    }
  }
  return child;
}

int exit_of(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void append_with_array(RunStore& store, int64_t row) {
  const std::vector<float> values(64, static_cast<float>(row));
  const std::vector<ArrayView> arrays = {
      {"trajectories/{row}/invert", ArrayType::kFloat32, {64}, std::as_bytes(std::span(values))}};
  store.append(example::record(row), row % 5 == 0 ? std::span(arrays) : std::span<const ArrayView>());
}

// Every record up to some row, whole.
void expect_whole(const ResultsReader& results, int64_t at_least) {
  const int64_t records = results.records();
  EXPECT_GE(records, at_least);
  const auto samples = results.texts("sample");
  const auto plan_rows = results.plan_rows();
  for (int64_t row = 0; row < records; ++row) {
    ASSERT_EQ(plan_rows[row], row);
    ASSERT_EQ(samples[row], example::sample_of(row));
  }
  for (int64_t row = 0; row < records; row += 5) {
    const Array array = results.array("trajectories/" + std::to_string(row) + "/invert");
    const std::vector<float> values(64, static_cast<float>(row));
    ASSERT_TRUE(std::ranges::equal(array.bytes, std::as_bytes(std::span(values)))) << row;
  }
}

TEST(KilledRun, KeepsEveryRecordThatWasSynced) {
  std::mt19937 random(11);
  for (int round = 0; round < 12; ++round) {
    const Folder folder;
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork_child([&] {
      RunStore store(folder / "run", example::layout(kPlanned), kSmallShards);
      for (int64_t row = 0;; ++row) {
        append_with_array(store, row);
        if (row % 7 == 0) {
          store.sync();
          if (write(pipe_ends[1], &row, sizeof row) != sizeof row) return 1;
        }
      }
      return 0;
    });
    close(pipe_ends[1]);
    int64_t synced = -1, word = 0;
    const int64_t enough = static_cast<int64_t>(random() % 400);
    while (synced < enough && read(pipe_ends[0], &word, sizeof word) == sizeof word) synced = word;
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    kill(child, SIGKILL);
    while (read(pipe_ends[0], &word, sizeof word) == sizeof word) synced = word;  // what it said last
    close(pipe_ends[0]);
    ASSERT_EQ(exit_of(child), 128 + SIGKILL);

    RunStore store = RunStore::recover(folder / "run");
    EXPECT_GE(store.recovery().records, synced + 1);
    const ResultsReader results(store.finish());
    EXPECT_FALSE(results.complete());
    expect_whole(results, synced + 1);
  }
}

TEST(KilledRun, GoesOnWhereItStopped) {
  const Folder folder;
  {
    RunStore store(folder / "run", example::layout(30), {.records_per_shard = 8});
    for (int64_t row = 0; row < 13; ++row) append_with_array(store, row);
  }
  RunStore store = RunStore::recover(folder / "run", {.records_per_shard = 8});
  EXPECT_EQ(store.written(), 13);
  EXPECT_EQ(store.recovery().ignored_bytes, 0);
  EXPECT_EQ(store.layout().trial_configs, example::layout(30).trial_configs);
  for (int64_t row = 0; row < 30; ++row) {
    EXPECT_EQ(store.holds(row), row < 13);
    if (!store.holds(row)) append_with_array(store, row);
  }
  const ResultsReader results(store.finish());
  EXPECT_TRUE(results.complete());
  expect_whole(results, 30);
}

TEST(KilledRun, SaysWhatOfATornJournalItIgnored) {
  const Folder folder;
  {
    RunStore store(folder / "run", example::layout(5));
    for (int64_t row = 0; row < 3; ++row) store.append(example::record(row));
  }
  const fs::path lines = folder / "run/journal/0000.jsonl";
  fs::resize_file(lines, fs::file_size(lines) - 9);
  RunStore store = RunStore::recover(folder / "run");
  EXPECT_EQ(store.recovery().records, 2);
  EXPECT_EQ(store.recovery().ignored_lines, 1);
  EXPECT_GT(store.recovery().ignored_bytes, 50);
  store.append(example::record(2));  // it can be made again
  EXPECT_THAT(ResultsReader(store.finish()).plan_rows(), testing::ElementsAre(0, 1, 2));
}

// Between a shard's rename and the removal of its journal both hold the same records.
TEST(KilledRun, CountsARecordOnceThatIsInJournalAndShard) {
  const Folder folder;
  const fs::path lines = folder / "run/journal/0000.jsonl";
  std::string journal;
  {
    RunStore store(folder / "run", example::layout(5), {.records_per_shard = 2});
    store.append(example::record(0));
    store.sync();
    journal = example::bytes_of(lines);
    store.append(example::record(1));
  }
  ASSERT_FALSE(fs::exists(lines));
  example::write_bytes(lines, journal);
  example::write_bytes(folder / "run/shards/0001.h5.part", "half a shard");
  RunStore store = RunStore::recover(folder / "run");
  EXPECT_EQ(store.written(), 2);
  EXPECT_EQ(ResultsReader(store.finish()).records(), 2);
}

TEST(Recover, RefusesWhatIsNoRun) {
  const Folder folder;
  EXPECT_THAT(error_of([&] { RunStore::recover(folder / "none"); }), HasSubstr("none: no run to resume"));
  EXPECT_FALSE(fs::exists(folder / "none"));
  fs::create_directories(folder / "odd/journal");
  for (const char* text : {"", "{}", "{\"columns\":3}", "[[[["}) {
    example::write_bytes(folder / "odd/journal/layout.json", text);
    EXPECT_THAT(error_of([&] { RunStore::recover(folder / "odd"); }), HasSubstr("not the layout of a run")) << text;
  }
}

TEST(Recover, RefusesARunThatIsStillWritten) {
  const Folder folder;
  RunStore store(folder / "run", example::layout(1));
  EXPECT_THAT(error_of([&] { RunStore::recover(folder / "run"); }), HasSubstr("another process is writing this run"));
  store.append(example::record(0));
  EXPECT_EQ(ResultsReader(store.finish()).records(), 1);
}

// Runs into a full disk in `folder`, where about a megabyte is left: the appends fail with one line
// at some point, what was appended before is in results.h5 once there is room.
int fill_disk(const fs::path& run, const std::function<void()>& make_room, const char* reason) {
  RunStore store(run, example::layout(kPlanned), {.records_per_shard = 200});
  std::string message;
  int64_t appended = 0;
  for (; message.empty() && appended < 100'000; ++appended) {
    message = error_of([&] { store.append(example::record(appended, 10)); });
  }
  if (message.find(reason) == std::string::npos) return 2;
  const int64_t written = store.written();
  if (written < 100 || written < appended - 1) return 3;
  if (error_of([&] { store.append(example::record(written, 10)); }).empty() && store.written() == written) return 4;
  make_room();
  const int64_t kept = store.written();
  const ResultsReader results(store.finish());
  if (results.records() != kept) return 5;
  return results.texts("sample", kept - 1)[0] == example::sample_of(kept - 1) ? 0 : 6;
}

// Needs a file system of its own: as root, or in a user namespace.
TEST(FullDisk, LosesNothingThatWasFinished) {
  const Folder folder;
  fs::create_directories(folder / "disk");
  constexpr int kNoMount = 77;
  const int status = exit_of(fork_child([&] {
    const int separate = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER;
    if (unshare(separate) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kNoMount;
    const fs::path disk = folder / "disk";
    if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=1m") != 0) return kNoMount;
    const auto make_room = [&] { mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=64m"); };
    return fill_disk(disk / "run", make_room, "No space left on device");
  }));
  if (status == kNoMount) GTEST_SKIP() << "NOT TESTED: a full disk needs the right to mount a tmpfs";
  EXPECT_EQ(status, 0);
}

// The same where a file may not grow: the error comes from another call, at another place.
TEST(FullDisk, LosesNothingWhereFilesAreLimited) {
  const Folder folder;
  EXPECT_EQ(exit_of(fork_child([&] {
              signal(SIGXFSZ, SIG_IGN);
              rlimit limit;
              getrlimit(RLIMIT_FSIZE, &limit);
              const rlimit unlimited = limit;
              limit.rlim_cur = 60'000;
              setrlimit(RLIMIT_FSIZE, &limit);
              return fill_disk(folder / "run", [&] { setrlimit(RLIMIT_FSIZE, &unlimited); }, "File too large");
            })),
            0);
}

// results.h5 is what no longer fits: the run stays as it was.
TEST(FullDisk, FailsToFinishWithoutLoss) {
  const Folder folder;
  EXPECT_EQ(exit_of(fork_child([&] {
              signal(SIGXFSZ, SIG_IGN);
              RunStore store(folder / "run", example::layout(900), {.records_per_shard = 100});
              for (int64_t row = 0; row < 900; ++row) store.append(example::record(row, 10));
              rlimit limit;
              getrlimit(RLIMIT_FSIZE, &limit);
              limit.rlim_cur = 50'000;
              setrlimit(RLIMIT_FSIZE, &limit);
              const std::string message = error_of([&] { store.finish(); });
              if (message.find("results.h5") == std::string::npos) return 1;
              return message.find("File too large") == std::string::npos ? 2 : 0;
            })),
            0);
  EXPECT_FALSE(fs::exists(folder / "run/results.h5"));
  EXPECT_FALSE(fs::exists(folder / "run/results.h5.part"));
  RunStore store = RunStore::recover(folder / "run");
  EXPECT_EQ(ResultsReader(store.finish()).records(), 900);
}

TEST(ReadOnlyFolder, IsRefusedInOneLine) {
  const Folder folder;
  fs::create_directories(folder / "closed");
  fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  fs::permissions((folder / "closed").parent_path(), fs::perms::all);
  EXPECT_EQ(
      exit_of(fork_child([&] {
        constexpr uid_t kNobody = 65534;  // root may write anywhere
        if (geteuid() == 0 && (chown((folder / "closed").c_str(), kNobody, kNobody) != 0 || setuid(kNobody) != 0)) {
          return 1;
        }
        for (const char* run : {"closed", "closed/run"}) {
          const std::string message = error_of([&] { RunStore(folder / run, example::layout(1)); });
          if (message.find("closed") == std::string::npos) return 2;
          if (message.find("Permission denied") == std::string::npos) return 3;
        }
        return 0;
      })),
      0);
}

}  // namespace
}  // namespace roundtrip::store
