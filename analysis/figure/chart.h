// A chart as inline SVG inside an HTML figure: lines with confidence bands, points with a front, dashed references.
//
// Colours come from the page's style sheet (classes s0 to s7), so a chart follows light and dark. Series also differ by
// marker and dash, so no information depends on colour alone. A chart contains its title, axis labels and description.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace roundtrip::analysis {

struct ChartAxis {
  std::string label;  // with its unit: "PSNR (dB)"
  bool logarithmic = false;
  std::vector<double> ticks = {};  // the swept values; empty: chosen automatically
};

struct ChartPoint {
  double x = 0, y = 0;
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();  // of y
  std::string tip = {};  // shown when pointed at
};

struct ChartSeries {
  std::string name;
  int style = 0;  // index of colour, marker and dash
  std::vector<ChartPoint> points = {};
  bool line = true;     // joins the points
  bool markers = true;  // draws them
};

struct ChartReference {
  std::string name;
  double y = 0;
};

struct Chart {
  std::string title, description;
  ChartAxis x, y;
  std::vector<ChartSeries> series = {};
  std::vector<ChartReference> references = {};
};

// Omits points with NaN, and points that are not positive on a logarithmic axis. Returns "" if no point is left.
std::string figure_html(const Chart& chart, const std::string& id);

}  // namespace roundtrip::analysis
