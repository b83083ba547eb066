#include "analysis/claims/claim_values.h"

#include <cmath>
#include <map>

#include "analysis/statistics/line.h"

namespace roundtrip::analysis {
namespace {

class Evaluator {
 public:
  Evaluator(const Results& results, const ClaimCase& of) : results_(results), case_(of) {}

  ValuesOf evaluate(const Expression& expression) {
    return std::visit([this](const auto& form) { return of(form); }, expression.form);
  }

 private:
  ValuesOf of(const Number& number) { return {.by_image = {}, .constant = true, .value = number.value}; }

  ValuesOf of(const Measure& measure) {
    return {.by_image = sample_values(results_, *case_.cells[leaf_++].front(), measure.column)};
  }

  ValuesOf of(const Slope& slope) {
    const size_t axis = results_.axis(slope.axis);
    std::map<int32_t, std::pair<std::vector<double>, std::vector<double>>> points;  // by image: axis, column
    const std::vector<const Cell*>& cells = case_.cells[leaf_++];
    for (const Cell* cell : cells) {
      const double x = value_number(cell->setting[axis]);
      const SampleValues sample = sample_values(results_, *cell, slope.column);
      for (size_t k = 0; k < sample.images.size(); ++k) {
        auto& [xs, ys] = points[sample.images[k]];
        xs.push_back(x);
        ys.push_back(sample.values[k]);
      }
    }
    ValuesOf result;
    for (const auto& [image, point] : points) {
      const Line line = fit_power_law(point.first, point.second);
      const bool whole = line.n == static_cast<int64_t>(cells.size());
      result.by_image.images.push_back(image);
      result.by_image.values.push_back(whole ? line.slope : std::nan(""));
    }
    return result;
  }

  ValuesOf of(const Operation& operation) {
    const ValuesOf left = evaluate(*operation.left), right = evaluate(*operation.right);
    const auto apply = [&](double a, double b) {
      switch (operation.operation) {
        case '+':
          return a + b;
        case '-':
          return a - b;
        case '*':
          return a * b;
        default:
          return a / b;
      }
    };
    if (left.constant && right.constant) return of(Number{apply(left.value, right.value)});
    const Pairs pairs = side_by_side(left, right);
    ValuesOf result{.by_image = {.images = pairs.images, .values = {}}};
    for (size_t k = 0; k < pairs.a.size(); ++k) result.by_image.values.push_back(apply(pairs.a[k], pairs.b[k]));
    return result;
  }

  const Results& results_;
  const ClaimCase& case_;
  size_t leaf_ = 0;  // leaves are visited in the order of cases_of
};

}  // namespace

std::vector<ValuesOf> values_of(const Claim& claim, const Results& results, const ClaimCase& of) {
  Evaluator evaluator(results, of);
  std::vector<ValuesOf> values;
  for (const Operand& operand : claim.operands) values.push_back(evaluator.evaluate(*operand));
  return values;
}

Pairs side_by_side(const ValuesOf& left, const ValuesOf& right) {
  const auto spread = [](const ValuesOf& constant, const SampleValues& over) {
    return SampleValues{over.images, std::vector<double>(over.images.size(), constant.value)};
  };
  if (left.constant) return pair_up(spread(left, right.by_image), right.by_image);
  if (right.constant) return pair_up(left.by_image, spread(right, left.by_image));
  return pair_up(left.by_image, right.by_image);
}

}  // namespace roundtrip::analysis
