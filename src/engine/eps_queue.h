// eps(x, t, conditioning) for the rows of many coroutines, a batch at a time.
#pragma once

#include <memory>

#include "engine/queue.h"

namespace roundtrip::engine {

class EpsQueue : public Queue {
 public:
  EpsQueue(diffusion::Denoiser& denoiser, const BatchPolicy& policy, Scheduler& scheduler)
      : Queue(policy, scheduler), denoiser_(denoiser) {}

  // A request of R rows while it waits; lives in the awaiting coroutine's frame.
  class [[nodiscard]] Awaiter {
   public:
    Awaiter(EpsQueue& queue, std::vector<Row> rows, Cost& cost)
        : queue_(&queue), rows_(std::move(rows)), cost_(&cost), unanswered_(rows_.size()) {}
    Awaiter(const Awaiter&) = delete;
    ~Awaiter();

    bool await_ready() const noexcept { return rows_.empty(); }
    void await_suspend(std::coroutine_handle<> handle);
    std::vector<Tensor> await_resume();  // R predictions [C, H, W]

   private:
    friend class EpsQueue;
    EpsQueue* queue_;
    std::vector<Row> rows_;
    Cost* cost_;
    size_t unanswered_;
    std::vector<Tensor> predictions_;
    std::exception_ptr error_;
    std::coroutine_handle<> handle_;
  };

  int64_t rows() const override;
  void fire() override;

 private:
  struct Waiting {
    Awaiter* request;
    size_t index;
  };
  using Bucket = std::deque<Waiting>;

  Bucket* fullest();
  void evaluate(const std::vector<Waiting>& batch);
  void answer(const Waiting& waiting, Tensor prediction);
  void fail(const Waiting& waiting, std::exception_ptr error);
  void settle(Awaiter& request);

  diffusion::Denoiser& denoiser_;
  std::map<BucketKey, Bucket> buckets_;
};

}  // namespace roundtrip::engine
