// Work that several records read, computed once.
//
// A value is identified by a key: the hash of everything that it depends on. Its first reader starts the work, as a
// task that takes no live slot; the others wait. If the work fails, it fails for all of them. The number of readers is
// announced beforehand (`expect`), and the value is released when the last of them is done with it.
#pragma once

#include <any>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/task.h"

namespace roundtrip::engine {

class Memo {
 public:
  explicit Memo(Scheduler& scheduler) : scheduler_(scheduler) {}

  // Announces that another `readers` records will read `key`.
  void expect(const std::string& key, int readers) { entries_[key].readers += readers; }

  // Records that one record is done with `key`, whether it read it or failed before.
  void release(const std::string& key) {
    const auto entry = entries_.find(key);
    if (entry != entries_.end() && --entry->second.readers <= 0) entries_.erase(entry);
  }

  // Returns the value of `key`, computed by `task` unless another reader has already started one. Tasks are lazy, so a
  // late one is destroyed without having run.
  template <typename T>
  Task<std::shared_ptr<const T>> read(std::string key, Task<T> task) {
    Entry& entry = entries_[key];
    if (!entry.work) {
      entry.work = std::make_unique<Work>();
      entry.work->task = produce<T>(*entry.work, std::move(task));
      entry.work->task.start(scheduler_);
      ++made_;
    } else {
      ++shared_;
    }
    Arrival arrival{*entry.work, {}};
    co_await arrival;
    if (arrival.work.error) std::rethrow_exception(arrival.work.error);
    co_return std::any_cast<std::shared_ptr<const T>>(arrival.work.value);
  }

  int64_t made() const { return made_; }      // values computed
  int64_t shared() const { return shared_; }  // reads answered by another reader's work
  size_t size() const { return entries_.size(); }

 private:
  struct Work {
    Task<void> task;
    bool finished = false;
    std::any value;  // shared_ptr<const T>
    std::exception_ptr error;
    std::vector<std::coroutine_handle<>> waiting;
  };
  struct Entry {
    int readers = 0;
    std::unique_ptr<Work> work;
  };

  struct Arrival {
    Work& work;
    std::coroutine_handle<> handle;

    bool await_ready() const noexcept { return work.finished; }
    void await_suspend(std::coroutine_handle<> waiter) {
      handle = waiter;
      work.waiting.push_back(waiter);
    }
    void await_resume() noexcept { handle = {}; }
    ~Arrival() {
      if (handle) std::erase(work.waiting, handle);
    }
  };

  template <typename T>
  Task<void> produce(Work& work, Task<T> task) {
    try {
      work.value = std::make_shared<const T>(co_await task);
    } catch (...) {
      work.error = std::current_exception();
    }
    work.finished = true;
    for (const auto waiter : work.waiting) scheduler_.post(waiter);
    work.waiting.clear();
  }

  Scheduler& scheduler_;
  std::map<std::string, Entry> entries_;
  int64_t made_ = 0, shared_ = 0;
};

// Releases a record's keys when the record ends, however it ends.
class MemoReader {
 public:
  MemoReader(Memo& memo, std::vector<std::string> keys) : memo_(&memo), keys_(std::move(keys)) {}
  MemoReader(MemoReader&& other) noexcept : memo_(std::exchange(other.memo_, nullptr)), keys_(std::move(other.keys_)) {}
  MemoReader& operator=(MemoReader&&) = delete;
  ~MemoReader() {
    if (!memo_) return;
    for (const std::string& key : keys_) memo_->release(key);
  }

 private:
  Memo* memo_;
  std::vector<std::string> keys_;
};

}  // namespace roundtrip::engine
