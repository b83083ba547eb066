// Maps values to positions along an axis, and chooses its ticks.
#pragma once

#include <string>
#include <vector>

namespace roundtrip::analysis {

class Scale {
 public:
  // Covers [low, high], which may be equal. A logarithmic scale has low > 0.
  Scale(double low, double high, bool logarithmic, double from_place, double to_place);

  double place(double value) const;
  std::vector<double> ticks(int about) const;  // 1, 2 or 5 times powers of ten, within the range

 private:
  double low_, high_;
  bool logarithmic_;
  double from_, to_;
};

// Formats a tick with just the digits that distinguish it from its neighbours.
std::string tick_text(double value, double step);

}  // namespace roundtrip::analysis
