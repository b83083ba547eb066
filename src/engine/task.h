// Task<T>: a lazily started coroutine that yields one value, or throws.
//
// A task that ends posts its awaiter to the scheduler's ready queue instead of resuming it: symmetric transfer would
// overflow the stack at -O0 and under AddressSanitizer. Destroying a task destroys everything that it was awaiting.
//
// For authors of coroutines, on g++ 12: name closures and aggregates before `co_await`. A temporary inside a `co_await`
// expression that captures something non-trivial is destroyed twice.
#pragma once

#include <coroutine>
#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include "base/error.h"

namespace roundtrip::engine {

// Queue of coroutines that are ready to continue. A batch, a shared value or a child posts its waiters here.
class Scheduler {
 public:
  void post(std::coroutine_handle<> handle) { ready_.push_back(handle); }
  bool idle() const { return ready_.empty(); }

  void resume_next() {
    const auto handle = ready_.front();
    ready_.pop_front();
    handle.resume();
  }

  // Removes an awaiter that is destroyed before its turn.
  void withdraw(std::coroutine_handle<> handle) { std::erase(ready_, handle); }

 private:
  std::deque<std::coroutine_handle<>> ready_;
};

template <typename T>
class Task;

namespace detail {

struct PromiseBase {
  Scheduler* scheduler = nullptr;
  std::coroutine_handle<> continuation;
  std::exception_ptr error;

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
      const PromiseBase& promise = handle.promise();
      if (promise.continuation) promise.scheduler->post(promise.continuation);
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() { destroy(); }

  // Starts a task that nobody awaits.
  void start(Scheduler& scheduler) {
    handle_.promise().scheduler = &scheduler;
    scheduler.post(handle_);
  }

  bool done() const { return handle_ && handle_.done(); }
  std::exception_ptr error() const { return handle_.promise().error; }

  auto operator co_await() && noexcept { return Awaiter{handle_}; }
  auto operator co_await() & noexcept { return Awaiter{handle_}; }

 private:
  struct Awaiter {
    Handle handle;

    bool await_ready() const noexcept { return false; }

    template <typename ParentPromise>
    void await_suspend(std::coroutine_handle<ParentPromise> parent) {
      promise_type& promise = handle.promise();
      promise.scheduler = parent.promise().scheduler;
      promise.continuation = parent;
      promise.scheduler->post(handle);
    }

    T await_resume() {
      promise_type& promise = handle.promise();
      if (promise.error) std::rethrow_exception(promise.error);
      if constexpr (!std::is_void_v<T>) return std::move(*promise.value);
    }
  };

  void destroy() {
    if (!handle_) return;
    Scheduler* scheduler = handle_.promise().scheduler;
    if (scheduler && !handle_.done()) scheduler->withdraw(handle_);
    handle_.destroy();
    handle_ = {};
  }

  Handle handle_;
};

namespace detail {

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

}  // namespace detail
}  // namespace roundtrip::engine
