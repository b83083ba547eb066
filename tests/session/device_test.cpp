// engine.device and model.dtype as one value.
#include "session/device.h"

#include <gmock/gmock.h>

#include "session/peak_memory.h"
#include "support/error_of.h"

namespace roundtrip::session {
namespace {

using ::roundtrip::testing::error_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Device, RefusesNamesThatMakeNoSense) {
  for (const char* name : {"gpu?", "cuda:", "cuda:x", "cuda:-1", "meta", ""}) {
    EXPECT_THAT(error_of([&] { Device device(name); }, ErrorKind::kType),
                AllOf(HasSubstr("engine.device"), HasSubstr("auto, cpu, cuda or cuda:n")))
        << name;
  }
  EXPECT_THAT(error_of([] { Device device("cuda:999"); }, ErrorKind::kType), HasSubstr("CUDA devices"));
  EXPECT_THAT(error_of([] { Device device("cpu", "float23"); }), HasSubstr("Did you mean 'float32'?"));
}

TEST(Device, OnlyNetworksRunInHalfPrecision) {
  EXPECT_EQ(Device("cpu", "bfloat16").networks().dtype(), at::kBFloat16);
  EXPECT_EQ(Device("cpu", "bfloat16").states().dtype(), at::kFloat);
  EXPECT_EQ(Device("cpu", "float64").states().dtype(), at::kDouble);
}

TEST(Device, MemoryIsOfTheDevice) {
  const Device device("auto");
  EXPECT_GT(device.free_memory(), int64_t{1} << 20);
  const PeakMemory peak(device.torch());
  const at::Tensor held = at::ones({1 << 24}, device.states());  // 64 MiB
  device.synchronise();
  EXPECT_GE(peak.bytes(), int64_t{1} << 26);
}

}  // namespace
}  // namespace roundtrip::session
