// Predictions and the gradient of a loss on them, for many coroutines in one forward and one backward pass.
//
// A request names its rows, the tensor to differentiate (the tokens or the x of some of its rows: the same tensor, not
// an equal one) and a function from its R predictions to R cotangents d loss / d eps. Weights never ask for gradients,
// and grad mode is on only inside a batch: held across a suspension it would leak into another trial.
#pragma once

#include <span>

#include "engine/queue.h"

namespace roundtrip::engine {

struct EpsAndGradient {
  std::vector<Tensor> eps;  // R predictions [C, H, W], detached
  Tensor gradient;          // of the shape of `wrt`, summed over the rows that share it
};

// Reads nothing that another request changes: those of one batch may be called at once, each on a thread of its own.
using Cotangent = std::function<std::vector<Tensor>(const std::vector<Tensor>& eps)>;

class VjpQueue : public Queue {
 public:
  VjpQueue(diffusion::Denoiser& denoiser, const BatchPolicy& policy, Scheduler& scheduler)
      : Queue(policy, scheduler), denoiser_(denoiser) {}

  class [[nodiscard]] Awaiter {
   public:
    Awaiter(VjpQueue& queue, std::vector<Row> rows, Tensor wrt, Cotangent cotangent, Cost& cost);
    Awaiter(const Awaiter&) = delete;
    ~Awaiter();

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle);
    EpsAndGradient await_resume();

   private:
    friend class VjpQueue;
    bool reads_tokens() const;
    bool reads_x() const;

    VjpQueue* queue_;
    std::vector<Row> rows_;
    Tensor wrt_;
    Cotangent cotangent_;
    Cost* cost_;
    EpsAndGradient result_;
    std::exception_ptr error_;
    std::coroutine_handle<> handle_;
  };

  int64_t rows() const override;
  void fire() override;

 private:
  // Requests stay whole: a cotangent reads all of its request's predictions.
  using Bucket = std::deque<Awaiter*>;
  static int64_t rows_of(const Bucket& bucket);
  Bucket* fullest();
  using Requests = std::span<Awaiter* const>;
  // In slices of whole requests, each from its first layer to its gradient on one thread; a fixed shape is not cut.
  void evaluate(Requests batch);
  void differentiate(Requests requests);
  std::vector<Tensor> cotangents_of(Awaiter& request, const std::vector<Tensor>& eps);

  diffusion::Denoiser& denoiser_;
  std::map<BucketKey, Bucket> buckets_;
};

}  // namespace roundtrip::engine
