// Computed in float32 and rounded as in torchmetrics, to agree with the numbers that papers print: variances here are
// differences of nearly equal numbers, and exact arithmetic differs from torchmetrics by 1.4e-5 in the mean. Rounding
// depends on the order of a sum, so the kernel for CPUs adds the 121 products of a window in the order in which
// convolutions of LibTorch do, with fused multiplications; two passes of eleven products would be no closer than 2e-5.
//
// The kernel takes the rows of x, y, x^2, y^2 and xy as they come and keeps the last eleven of each. As one
// convolution, five planes would be written to memory and five read again, at ten times the cost.
#include "metrics/ssim_map.h"

#include <array>
#include <vector>

#include <ATen/Parallel.h>

namespace roundtrip::metrics {
namespace {

using at::Tensor;

constexpr int64_t kMoments = 5;  // of x, y, x^2, y^2, xy
constexpr float kC1 = 0.01 * 0.01, kC2 = 0.03 * 0.03;

// [11, 11]
Tensor gaussian_window() {
  const Tensor distance = at::arange(-kSsimReach, kSsimReach + 1, at::kFloat);
  const Tensor g = (-(distance / 1.5).square() / 2).exp();
  return at::outer(g / g.sum(), g / g.sum());
}

#ifdef __x86_64__

#define ROUNDTRIP_AVX2 __attribute__((target("avx2")))
#define ROUNDTRIP_AVX2_FMA __attribute__((target("avx2,fma")))

using Lanes = float __attribute__((vector_size(32)));                                 // in a register
using LanesInMemory = float __attribute__((vector_size(32), aligned(4), may_alias));  // anywhere in a row
constexpr int64_t kLanes = 8, kStride = 2 * kLanes;  // columns of one sum, and of the two that go side by side

bool has_kernel() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

int64_t reflected(int64_t j, int64_t length) {
  if (j < 0) return -j;
  return j < length ? j : 2 * (length - 1) - j;
}

// Rows of one thread.
class Rows {
 public:
  explicit Rows(int64_t width)
      : width_(width),
        columns_((width + kStride - 1) / kStride * kStride),
        length_(columns_ + 2 * kSsimReach),
        moments_(kSsimWindow * kMoments * length_),
        means_(kMoments * columns_) {}

  int64_t width() const { return width_; }
  int64_t columns() const { return columns_; }  // the width, rounded up to whole strides
  // A moment of the picture's row i, with 5 reflected pixels at either end. Row i + 11 takes the place of row i.
  float* moment(int64_t i, int64_t m) { return moments_.data() + ((i % kSsimWindow) * kMoments + m) * length_; }
  float* mean(int64_t m) { return means_.data() + m * columns_; }  // in the window around each column

 private:
  int64_t width_, columns_, length_;
  std::vector<float> moments_, means_;
};

void fill_moments(const float* x, const float* y, int64_t i, Rows& rows) {
  float *mx = rows.moment(i, 0), *my = rows.moment(i, 1);
  float *xx = rows.moment(i, 2), *yy = rows.moment(i, 3), *xy = rows.moment(i, 4);
  for (int64_t j = 0; j < rows.width() + 2 * kSsimReach; ++j) {
    const int64_t from = reflected(j - kSsimReach, rows.width());
    mx[j] = x[from];
    my[j] = y[from];
    xx[j] = x[from] * x[from];
    yy[j] = y[from] * y[from];
    xy[j] = x[from] * y[from];
  }
}

// Means of all moments in the windows of a row. `around` are the eleven rows of each moment, top to bottom.
ROUNDTRIP_AVX2_FMA void fill_means(const std::array<std::array<const float*, kSsimWindow>, kMoments>& around,
                                   const float* window, Rows& rows) {
  for (int64_t j = 0; j < rows.columns(); j += kStride) {
    Lanes left[kMoments] = {}, right[kMoments] = {};
    for (int64_t k = 0; k < kSsimWindow; ++k) {
      for (int64_t l = 0; l < kSsimWindow; ++l) {
        const float weight = window[k * kSsimWindow + l];
        for (int64_t m = 0; m < kMoments; ++m) {
          const float* at = around[m][k] + j + l;
          left[m] += weight * *reinterpret_cast<const LanesInMemory*>(at);
          right[m] += weight * *reinterpret_cast<const LanesInMemory*>(at + kLanes);
        }
      }
    }
    for (int64_t m = 0; m < kMoments; ++m) {
      *reinterpret_cast<LanesInMemory*>(rows.mean(m) + j) = left[m];
      *reinterpret_cast<LanesInMemory*>(rows.mean(m) + j + kLanes) = right[m];
    }
  }
}

// Eq. 13. It is compiled without fused multiplications: LibTorch rounds each product of these.
ROUNDTRIP_AVX2 void similarity_row(Rows& rows, float* __restrict out) {
  const float *mean_x = rows.mean(0), *mean_y = rows.mean(1);
  const float *mean_xx = rows.mean(2), *mean_yy = rows.mean(3), *mean_xy = rows.mean(4);
  for (int64_t j = 0; j < rows.width(); ++j) {
    const float mu_x = mean_x[j], mu_y = mean_y[j];
    float var_x = mean_xx[j] - mu_x * mu_x, var_y = mean_yy[j] - mu_y * mu_y;
    var_x = var_x < 0 ? 0 : var_x;  // a NaN stays one
    var_y = var_y < 0 ? 0 : var_y;
    const float cov = mean_xy[j] - mu_x * mu_y;
    out[j] = (2 * mu_x * mu_y + kC1) * (2 * cov + kC2) / ((mu_x * mu_x + mu_y * mu_y + kC1) * (var_x + var_y + kC2));
  }
}

// One plane [height, width].
void plane_map(const float* x, const float* y, int64_t height, const float* window, Rows& rows, float* out) {
  const int64_t width = rows.width();
  int64_t next = 0;  // the first row without moments
  for (int64_t i = 0; i < height; ++i) {
    for (; next < std::min(height, i + kSsimReach + 1); ++next) {
      fill_moments(x + next * width, y + next * width, next, rows);
    }
    std::array<std::array<const float*, kSsimWindow>, kMoments> around;
    for (int64_t m = 0; m < kMoments; ++m) {
      for (int64_t k = 0; k < kSsimWindow; ++k) around[m][k] = rows.moment(reflected(i + k - kSsimReach, height), m);
    }
    fill_means(around, window, rows);
    similarity_row(rows, out + i * width);
  }
}

// [N, C, H, W] float32 twice, on the CPU.
Tensor map_by_kernel(const Tensor& x, const Tensor& y) {
  const Tensor xs = x.contiguous(), ys = y.contiguous(), window = gaussian_window();
  Tensor map = at::empty_like(xs);
  const int64_t height = xs.size(2), width = xs.size(3), area = height * width;
  const float *first = xs.const_data_ptr<float>(), *second = ys.const_data_ptr<float>();
  const float* weights = window.const_data_ptr<float>();
  float* out = map.mutable_data_ptr<float>();
  at::parallel_for(0, xs.size(0) * xs.size(1), 1, [&](int64_t begin, int64_t end) {
    Rows rows(width);
    for (int64_t p = begin; p < end; ++p) {
      plane_map(first + p * area, second + p * area, height, weights, rows, out + p * area);
    }
  });
  return map;
}

#else

bool has_kernel() { return false; }
Tensor map_by_kernel(const Tensor& x, const Tensor& y) { return ssim_map_by_convolution(x, y); }

#endif

}  // namespace

Tensor ssim_map_by_convolution(const Tensor& x, const Tensor& y) {
  const Tensor window = gaussian_window().to(x.device());  // [11, 11]
  const Tensor maps = at::cat({x, y, x * x, y * y, x * y});
  // Every plane is a group of one convolution.
  const int64_t planes = maps.size(0) * maps.size(1);
  const Tensor folded = at::reflection_pad2d(maps, {kSsimReach, kSsimReach, kSsimReach, kSsimReach});
  const std::vector<int64_t> one = {1, 1}, none = {0, 0};
  const Tensor blurred =
      at::conv2d(folded.reshape({1, planes, folded.size(2), folded.size(3)}),
                 window.expand({planes, 1, kSsimWindow, kSsimWindow}), /*bias=*/{}, one, none, one, planes);
  const std::vector<Tensor> means = blurred.reshape(maps.sizes()).chunk(kMoments);
  const Tensor &mu_x = means[0], &mu_y = means[1];
  const Tensor var_x = (means[2] - mu_x * mu_x).clamp_min(0);
  const Tensor var_y = (means[3] - mu_y * mu_y).clamp_min(0);
  const Tensor cov = means[4] - mu_x * mu_y;
  return (2 * mu_x * mu_y + kC1) * (2 * cov + kC2) / ((mu_x * mu_x + mu_y * mu_y + kC1) * (var_x + var_y + kC2));
}

Tensor ssim_map(const Tensor& x, const Tensor& y) {
  return x.is_cpu() && has_kernel() ? map_by_kernel(x, y) : ssim_map_by_convolution(x, y);
}

}  // namespace roundtrip::metrics
