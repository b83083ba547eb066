#include "analysis/compare/comparison.h"

#include <algorithm>
#include <cmath>

#include "analysis/claims/claim_cells.h"
#include "analysis/compare/matching.h"
#include "analysis/statistics/description.h"
#include "analysis/statistics/holm.h"
#include "analysis/statistics/wilcoxon.h"
#include "analysis/table/sample_values.h"
#include "base/error.h"

namespace roundtrip::analysis {
namespace {

MetricComparison compare(const Results& a, const Cell& of_a, const Results& b, const Cell& of_b,
                         const store::Column& column) {
  const Pairs pairs = pair_up(sample_values(a, of_a, column.name), sample_values(b, of_b, column.name));
  const Differences difference = differences(pairs.a, pairs.b);
  const bool higher = column.direction == "higher";
  return {.column = column,
          .a = describe(pairs.a).mean,
          .b = describe(pairs.b).mean,
          .difference = mean_of(difference.finite),
          .interval = mean_interval(difference.finite),
          .p = wilcoxon(difference.finite).p,
          .images = static_cast<int64_t>(difference.finite.size()),
          .left_out = difference.missing + difference.infinite,
          .only_a = pairs.only_a,
          .only_b = pairs.only_b,
          .better = higher ? difference.above : difference.below,
          .worse = higher ? difference.below : difference.above,
          .equal = difference.equal};
}

std::vector<store::Column> columns_of_both(const Results& a, const Results& b, const std::vector<std::string>& named) {
  std::vector<store::Column> columns;
  for (const std::string& name : named) {
    for (const Results* results : {&a, &b}) results->numbers(name);  // throws for an unknown column
    columns.push_back(*a.find(name));
  }
  if (!named.empty()) return columns;
  for (const std::vector<store::Column>* all : {&a.metrics(), &a.costs()}) {
    for (const store::Column& column : *all) {
      if (b.find(column.name) != nullptr) columns.push_back(column);
    }
  }
  return columns;
}

void correct(Comparison& comparison) {
  if (comparison.cells.empty()) return;
  for (size_t m = 0; m < comparison.cells.front().metrics.size(); ++m) {
    std::vector<double> p;
    for (const CellComparison& cell : comparison.cells) p.push_back(cell.metrics[m].p);
    const std::vector<double> corrected = holm(p);
    for (size_t k = 0; k < corrected.size(); ++k) comparison.cells[k].metrics[m].p = corrected[k];
  }
}

}  // namespace

Comparison compare_runs(const Results& a, const Results& b, const std::vector<std::string>& named) {
  require_equal_versions(a, b);
  const std::vector<store::Column> columns = columns_of_both(a, b, named);
  Comparison comparison;
  for (const CellMatch& match : match_cells(a, b)) {
    if (match.b == nullptr) {
      comparison.only_a.push_back(a.label(*match.a));
    } else if (match.a == nullptr) {
      comparison.only_b.push_back(b.label(*match.b));
    } else {
      CellComparison& cell = comparison.cells.emplace_back(CellComparison{.label = a.label(*match.a), .metrics = {}});
      for (const store::Column& column : columns) cell.metrics.push_back(compare(a, *match.a, b, *match.b, column));
    }
  }
  correct(comparison);
  return comparison;
}

Comparison compare_within(const Results& results, const Selector& a, const Selector& b,
                          const std::vector<std::string>& named) {
  // The claim "column[a] = column[b]" matches the same cells.
  const Operand left = std::make_shared<const Expression>(Expression{Measure{"failed", a}});
  const Operand right = std::make_shared<const Expression>(Expression{Measure{"failed", b}});
  const Claim claim{.text = {}, .says = {}, .source = {}, .operands = {left, right}, .relations = {Relation::kEqual}};
  std::string why;
  const std::vector<ClaimCase> cases = cases_of(claim, results, why);
  if (cases.empty()) throw input_error(results.reader().path().string(), why);
  Comparison comparison;
  for (const ClaimCase& each : cases) {
    const Cell &of_a = *each.cells[0].front(), &of_b = *each.cells[1].front();
    CellComparison& cell = comparison.cells.emplace_back(
        CellComparison{.label = results.label(of_a) + " against " + results.label(of_b), .metrics = {}});
    for (const store::Column& column : columns_of_both(results, results, named)) {
      cell.metrics.push_back(compare(results, of_a, results, of_b, column));
    }
  }
  correct(comparison);
  return comparison;
}

}  // namespace roundtrip::analysis
