// A batched function other than the network: encoding, decoding, a metric. Rows of many coroutines are answered
// together, at fixed shapes where the policy asks for them.
#pragma once

#include "engine/queue.h"

namespace roundtrip::engine {

class Station : public Queue {
 public:
  // Takes one tensor [R, ...] per input, gives one [R, ...] per output.
  using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>& inputs)>;

  Station(std::string name, Function function, const BatchPolicy& policy, Scheduler& scheduler)
      : Queue(policy, scheduler), name_(std::move(name)), function_(std::move(function)) {}

  class [[nodiscard]] Awaiter {
   public:
    Awaiter(Station& station, std::vector<Tensor> inputs) : station_(&station), inputs_(std::move(inputs)) {}
    Awaiter(const Awaiter&) = delete;
    ~Awaiter();

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle);
    std::vector<Tensor> await_resume();          // one row of each output
    double seconds() const { return seconds_; }  // this row's share of its batch

   private:
    friend class Station;
    Station* station_;
    std::vector<Tensor> inputs_;
    std::vector<Tensor> outputs_;
    double seconds_ = 0;
    std::exception_ptr error_;
    std::coroutine_handle<> handle_;
  };

  int64_t rows() const override;
  void fire() override;
  const std::string& name() const { return name_; }

 private:
  using Bucket = std::deque<Awaiter*>;
  Bucket* fullest();
  void evaluate(const std::vector<Awaiter*>& batch);

  std::string name_;
  Function function_;
  std::map<BucketKey, Bucket> buckets_;
};

}  // namespace roundtrip::engine
