#include "analysis/figure/chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/figure/markup.h"
#include "analysis/figure/scale.h"

namespace roundtrip::analysis {
namespace {

constexpr double kWidth = 480, kHeight = 320;
constexpr double kLeft = 74, kRight = 14, kTop = 12, kBottom = 50;
constexpr double kInset = 10;  // between the frame and the outermost points
constexpr int kStyles = 8;

bool is_drawable(const ChartPoint& point, const Chart& chart) {
  return std::isfinite(point.x) && std::isfinite(point.y) && (!chart.x.logarithmic || point.x > 0) &&
         (!chart.y.logarithmic || point.y > 0);
}

Chart drawable(Chart chart) {
  for (ChartSeries& series : chart.series) {
    std::erase_if(series.points, [&](const ChartPoint& point) { return !is_drawable(point, chart); });
  }
  std::erase_if(chart.series, [](const ChartSeries& series) { return series.points.empty(); });
  std::erase_if(chart.references, [&](const ChartReference& reference) {
    return !std::isfinite(reference.y) || (chart.y.logarithmic && reference.y <= 0);
  });
  return chart;
}

bool has_band(const ChartPoint& point, bool logarithmic) {
  return point.low <= point.high && (!logarithmic || point.low > 0);
}

// Range that an axis has to cover.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void cover(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

class Drawing {
 public:
  explicit Drawing(const Chart& chart) : chart_(chart), x_(x_scale(chart)), y_(y_scale(chart)) {}

  std::string svg(const std::string& id) {
    text_ =
        fmt::format("<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{}-title {}-desc\">\n",
                    kWidth, kHeight, id, id);
    text_ += fmt::format("<title id=\"{}-title\">{}</title><desc id=\"{}-desc\">{}</desc>\n", id, escaped(chart_.title),
                         id, escaped(chart_.description));
    draw_x_axis();
    draw_y_axis();
    for (const ChartReference& reference : chart_.references) draw_reference(reference);
    for (const ChartSeries& series : chart_.series) draw_band(series);
    for (const ChartSeries& series : chart_.series) draw_line(series);
    for (const ChartSeries& series : chart_.series) draw_points(series);
    return text_ + "</svg>\n";
  }

 private:
  static Scale x_scale(const Chart& chart) {
    Range range;
    for (const ChartSeries& series : chart.series) {
      for (const ChartPoint& point : series.points) range.cover(point.x);
    }
    return {range.low, range.high, chart.x.logarithmic, kLeft + kInset, kWidth - kRight - kInset};
  }

  static Scale y_scale(const Chart& chart) {
    Range range;
    for (const ChartReference& reference : chart.references) range.cover(reference.y);
    for (const ChartSeries& series : chart.series) {
      for (const ChartPoint& point : series.points) {
        range.cover(point.y);
        if (!has_band(point, chart.y.logarithmic)) continue;
        range.cover(point.low);
        range.cover(point.high);
      }
    }
    return {range.low, range.high, chart.y.logarithmic, kHeight - kBottom - kInset, kTop + kInset};
  }

  void draw_x_axis() {
    const std::vector<double> ticks = chart_.x.ticks.empty() ? x_.ticks(6) : chart_.x.ticks;
    const double step = ticks.size() > 1 ? std::abs(ticks[1] - ticks[0]) : 1;
    double last = -1e9;
    for (const double tick : ticks) {
      const double x = x_.place(tick);
      text_ += fmt::format("<line class=\"tick\" x1=\"{0}\" x2=\"{0}\" y1=\"{1}\" y2=\"{2}\"/>", coordinate(x),
                           kHeight - kBottom, kHeight - kBottom + 5);
      const std::string label = chart_.x.ticks.empty() ? tick_text(tick, step) : fmt::format("{:.6g}", tick);
      const double half = 4.0 * static_cast<double>(label.size());
      if (x - half < last + 4) continue;  // skip labels that would touch
      last = x + half;
      text_ += fmt::format("<text class=\"tick-label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                           coordinate(x), kHeight - kBottom + 19, label);
    }
    text_ += fmt::format("<line class=\"axis\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>", kLeft, kWidth - kRight,
                         kHeight - kBottom);
    text_ += fmt::format("<text class=\"axis-label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                         coordinate((kLeft + kWidth - kRight) / 2), kHeight - 8, escaped(chart_.x.label));
  }

  void draw_y_axis() {
    const std::vector<double> ticks = y_.ticks(5);
    double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
    for (size_t k = 1; k < ticks.size(); ++k) step = std::min(step, ticks[k] - ticks[k - 1]);
    for (const double tick : ticks) {
      const double y = y_.place(tick);
      text_ += fmt::format("<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>", kLeft, kWidth - kRight,
                           coordinate(y));
      const std::string label = chart_.y.logarithmic ? fmt::format("{:.3g}", tick) : tick_text(tick, step);
      text_ += fmt::format("<text class=\"tick-label\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", kLeft - 7,
                           coordinate(y + 4), label);
    }
    const double middle = (kTop + kHeight - kBottom) / 2;
    text_ += fmt::format(
        "<text class=\"axis-label\" transform=\"translate(14 {}) rotate(-90)\" "
        "text-anchor=\"middle\">{}</text>\n",
        coordinate(middle), escaped(chart_.y.label));
  }

  void draw_reference(const ChartReference& reference) {
    const double y = y_.place(reference.y);
    text_ += fmt::format("<line class=\"reference\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>", kLeft,
                         kWidth - kRight, coordinate(y));
    // Place the label below its line if there is no room above.
    text_ += fmt::format("<text class=\"reference-label\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
                         kWidth - kRight - 4, coordinate(y - 5 < kTop + 8 ? y + 14 : y - 5), escaped(reference.name));
  }

  std::string place(double x, double y) const { return coordinate(x_.place(x)) + "," + coordinate(y_.place(y)); }

  void draw_band(const ChartSeries& series) {
    const auto banded = [&](const ChartPoint& point) { return has_band(point, chart_.y.logarithmic); };
    if (!series.line) {  // whiskers
      for (const ChartPoint& point : series.points) {
        if (!banded(point)) continue;
        text_ += fmt::format("<line class=\"whisker s{0}\" x1=\"{1}\" x2=\"{1}\" y1=\"{2}\" y2=\"{3}\"/>",
                             series.style % kStyles, coordinate(x_.place(point.x)), coordinate(y_.place(point.low)),
                             coordinate(y_.place(point.high)));
      }
      return;
    }
    if (series.points.size() < 2 || !std::ranges::all_of(series.points, banded)) return;
    std::string corners;
    for (const ChartPoint& point : series.points) corners += place(point.x, point.high) + " ";
    for (size_t k = series.points.size(); k-- > 0;) corners += place(series.points[k].x, series.points[k].low) + " ";
    corners.pop_back();
    text_ += fmt::format("<polygon class=\"band s{}\" points=\"{}\"/>\n", series.style % kStyles, corners);
  }

  void draw_line(const ChartSeries& series) {
    if (!series.line || series.points.size() < 2) return;
    std::string corners;
    for (const ChartPoint& point : series.points) corners += place(point.x, point.y) + " ";
    corners.pop_back();
    text_ += fmt::format("<polyline class=\"line s{0} d{0}\" points=\"{1}\"/>\n", series.style % kStyles, corners);
  }

  void draw_points(const ChartSeries& series) {
    if (!series.markers) return;
    for (const ChartPoint& point : series.points) {
      const std::string tip = point.tip.empty() ? "" : "<title>" + escaped(point.tip) + "</title>";
      text_ += fmt::format("<use class=\"marker s{0}\" href=\"#marker-{0}\" x=\"{1}\" y=\"{2}\">{3}</use>\n",
                           series.style % kStyles, coordinate(x_.place(point.x)), coordinate(y_.place(point.y)), tip);
    }
  }

  const Chart& chart_;
  Scale x_, y_;
  std::string text_;
};

std::string legend_html(const Chart& chart) {
  if (chart.series.size() < 2) return "";
  std::string text = "<ul class=\"legend\">";
  for (const ChartSeries& series : chart.series) {
    const int style = series.style % kStyles;
    text += "<li><svg viewBox=\"0 0 30 12\" aria-hidden=\"true\">";
    if (series.line)
      text += fmt::format("<line class=\"line s{0} d{0}\" x1=\"1\" x2=\"29\" y1=\"6\" y2=\"6\"/>", style);
    if (series.markers)
      text += fmt::format("<use class=\"marker s{0}\" href=\"#marker-{0}\" x=\"15\" y=\"6\"/>", style);
    text += "</svg>" + escaped(series.name) + "</li>";
  }
  return text + "</ul>\n";
}

}  // namespace

std::string figure_html(const Chart& given, const std::string& id) {
  const Chart chart = drawable(given);
  if (chart.series.empty()) return "";
  return fmt::format("<figure id=\"{}\">\n<figcaption>{}</figcaption>\n{}{}</figure>\n", id, escaped(chart.title),
                     Drawing(chart).svg(id), legend_html(chart));
}

}  // namespace roundtrip::analysis
