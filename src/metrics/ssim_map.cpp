// Computed in float32 and rounded as in torchmetrics, to agree with the numbers that papers print: variances here are
// differences of nearly equal numbers, and exact arithmetic differs from torchmetrics by 1.4e-5 in the mean. Rounding
// depends on the order of a sum, so the kernel for CPUs adds the 121 products of a window in the order in which
// convolutions of LibTorch do, with fused multiplications; two passes of eleven products would be no closer than 2e-5.
//
// The kernel takes the rows of x, y, x^2, y^2 and xy as they come and keeps the last eleven of each. As one
// convolution, five planes would be written to memory and five read again, at ten times the cost.
#include "metrics/ssim_map.h"

#include <algorithm>
#include <array>
#include <cstdint>
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
#define ROUNDTRIP_AVX512 __attribute__((target("avx512f")))

// Floats in a register, and anywhere in a row.
using Eight = float __attribute__((vector_size(32)));
using EightInMemory = float __attribute__((vector_size(32), aligned(4), may_alias));
using Sixteen = float __attribute__((vector_size(64)));
using SixteenInMemory = float __attribute__((vector_size(64), aligned(4), may_alias));

bool has_kernel() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() { return __builtin_cpu_supports("avx512f"); }

// Columns whose means are formed together: two registers of each moment, side by side.
int64_t columns_at_once() { return 2 * (has_avx512() ? 16 : 8); }

int64_t reflected(int64_t j, int64_t length) {
  if (j < 0) return -j;
  return j < length ? j : 2 * (length - 1) - j;
}

// Rows of one thread.
class Rows {
 public:
  explicit Rows(int64_t width)
      : width_(width),
        stride_(columns_at_once()),
        strides_((width + stride_ - 1) / stride_),
        length_(columns() + 2 * kSsimReach),
        moments_(kSsimWindow * kMoments * length_),
        means_(kMoments * columns()),
        marks_((kSsimWindow + 1) * strides_) {}

  int64_t width() const { return width_; }
  int64_t stride() const { return stride_; }
  int64_t strides() const { return strides_; }
  int64_t columns() const { return strides_ * stride_; }
  // A moment of the picture's row i, with 5 reflected pixels at either end. Row i + 11 takes the place of row i.
  float* moment(int64_t i, int64_t m) { return moments_.data() + ((i % kSsimWindow) * kMoments + m) * length_; }
  float* mean(int64_t m) { return means_.data() + m * columns(); }  // in the window around each column
  // Flags by stride: whether the windows of its columns contain a nonzero pixel in row i, and in any row of the window.
  uint8_t* marks(int64_t i) { return marks_.data() + (i % kSsimWindow) * strides_; }
  uint8_t* window_marks() { return marks_.data() + kSsimWindow * strides_; }

 private:
  int64_t width_, stride_, strides_, length_;
  std::vector<float> moments_, means_;
  std::vector<uint8_t> marks_;
};

// Eleven rows of each moment, top to bottom.
using Around = std::array<std::array<const float*, kSsimWindow>, kMoments>;

void fill_moments(const float* x, const float* y, int64_t i, Rows& rows) {
  float *mx = rows.moment(i, 0), *my = rows.moment(i, 1);
  const int64_t width = rows.width(), end = width + 2 * kSsimReach;
  for (int64_t j = 0; j < kSsimReach; ++j) {
    const int64_t left = kSsimReach - j, right = width - 2 - j;
    mx[j] = x[left], my[j] = y[left];
    mx[width + kSsimReach + j] = x[right], my[width + kSsimReach + j] = y[right];
  }
  std::copy_n(x, width, mx + kSsimReach);
  std::copy_n(y, width, my + kSsimReach);
  float *xx = rows.moment(i, 2), *yy = rows.moment(i, 3), *xy = rows.moment(i, 4);
  for (int64_t j = 0; j < end; ++j) {
    xx[j] = mx[j] * mx[j];
    yy[j] = my[j] * my[j];
    xy[j] = mx[j] * my[j];
  }
  uint8_t* marks = rows.marks(i);
  for (int64_t s = 0; s < rows.strides(); ++s) {
    const float *p = mx + s * rows.stride(), *q = my + s * rows.stride();
    int any = 0;
    for (int64_t j = 0; j < rows.stride() + 2 * kSsimReach; ++j) any |= static_cast<int>(p[j] != 0 || q[j] != 0);
    marks[s] = static_cast<uint8_t>(any);
  }
}

// Means of all moments in the windows of a stride. `from` is its first column.
ROUNDTRIP_AVX2_FMA void stride_means(const Around& around, const float* window, int64_t from, Rows& rows) {
  Eight left[kMoments] = {}, right[kMoments] = {};
  for (int64_t k = 0; k < kSsimWindow; ++k) {
    for (int64_t l = 0; l < kSsimWindow; ++l) {
      const float weight = window[k * kSsimWindow + l];
      for (int64_t m = 0; m < kMoments; ++m) {
        const auto* at = reinterpret_cast<const EightInMemory*>(around[m][k] + from + l);
        left[m] += weight * at[0];
        right[m] += weight * at[1];
      }
    }
  }
  for (int64_t m = 0; m < kMoments; ++m) {
    auto* to = reinterpret_cast<EightInMemory*>(rows.mean(m) + from);
    to[0] = left[m];
    to[1] = right[m];
  }
}

// As stride_means, for twice as many columns. Each sum has the same terms in the same order, so the results are equal.
ROUNDTRIP_AVX512 void wide_stride_means(const Around& around, const float* window, int64_t from, Rows& rows) {
  Sixteen left[kMoments] = {}, right[kMoments] = {};
  for (int64_t k = 0; k < kSsimWindow; ++k) {
    for (int64_t l = 0; l < kSsimWindow; ++l) {
      const float weight = window[k * kSsimWindow + l];
      for (int64_t m = 0; m < kMoments; ++m) {
        const auto* at = reinterpret_cast<const SixteenInMemory*>(around[m][k] + from + l);
        left[m] += weight * at[0];
        right[m] += weight * at[1];
      }
    }
  }
  for (int64_t m = 0; m < kMoments; ++m) {
    auto* to = reinterpret_cast<SixteenInMemory*>(rows.mean(m) + from);
    to[0] = left[m];
    to[1] = right[m];
  }
}

// Means in the windows of the picture's row i. They are 0, and are not computed, where both pictures are 0, as in the
// region that an edit may change.
void fill_means(int64_t i, int64_t height, const float* window, Rows& rows) {
  Around around;
  uint8_t* any = rows.window_marks();
  std::fill_n(any, rows.strides(), uint8_t{0});
  for (int64_t k = 0; k < kSsimWindow; ++k) {
    const int64_t row = reflected(i + k - kSsimReach, height);
    for (int64_t m = 0; m < kMoments; ++m) around[m][k] = rows.moment(row, m);
    for (int64_t s = 0; s < rows.strides(); ++s) any[s] |= rows.marks(row)[s];
  }
  const auto means = has_avx512() ? wide_stride_means : stride_means;
  for (int64_t s = 0; s < rows.strides(); ++s) {
    const int64_t from = s * rows.stride();
    if (any[s] != 0) {
      means(around, window, from, rows);
    } else {
      for (int64_t m = 0; m < kMoments; ++m) std::fill_n(rows.mean(m) + from, rows.stride(), 0.0F);
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

// Rows [first, last) of a plane's map. `x` and `y` are planes [height, width].
void map_rows(const float* x, const float* y, int64_t height, int64_t first, int64_t last, const float* window,
              Rows& rows, float* out) {
  const int64_t width = rows.width();
  int64_t next = std::max<int64_t>(0, first - kSsimReach);  // the first row without moments
  for (int64_t i = first; i < last; ++i) {
    for (; next < std::min(height, i + kSsimReach + 1); ++next) {
      fill_moments(x + next * width, y + next * width, next, rows);
    }
    fill_means(i, height, window, rows);
    similarity_row(rows, out + i * width);
  }
}

// [N, C, H, W] float32 twice, on the CPU. Threads divide the rows, because planes are few.
Tensor map_by_kernel(const Tensor& x, const Tensor& y) {
  constexpr int64_t kRowsAtOnce = 64;
  const Tensor xs = x.contiguous(), ys = y.contiguous(), window = gaussian_window();
  Tensor map = at::empty_like(xs);
  const int64_t height = xs.size(2), width = xs.size(3), area = height * width;
  const float *a = xs.const_data_ptr<float>(), *b = ys.const_data_ptr<float>();
  const float* weights = window.const_data_ptr<float>();
  float* out = map.mutable_data_ptr<float>();
  at::parallel_for(0, xs.size(0) * xs.size(1) * height, kRowsAtOnce, [&](int64_t begin, int64_t end) {
    Rows rows(width);
    while (begin < end) {
      const int64_t plane = begin / height, first = begin % height, last = std::min(height, first + end - begin);
      map_rows(a + plane * area, b + plane * area, height, first, last, weights, rows, out + plane * area);
      begin += last - first;
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
