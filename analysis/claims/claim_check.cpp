#include "analysis/claims/claim_check.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/claims/claim_cells.h"
#include "analysis/claims/claim_values.h"
#include "analysis/statistics/description.h"
#include "analysis/statistics/holm.h"
#include "analysis/statistics/wilcoxon.h"
#include "analysis/table/sample_values.h"
#include "base/text.h"
#include "columns/columns.h"

namespace roundtrip::analysis {
namespace {

std::string setting_of(const ClaimCase& of, const Results& results) {
  std::vector<std::string> parts;
  for (const auto& [axis, value] : of.open)
    parts.push_back(columns::axis_label(results.axes()[axis]) + " " + value_text(value));
  return join(parts, ", ");
}

// Computes everything but the verdict, which needs the corrected p.
RelationCheck compare(Relation relation, const ValuesOf& left, const ValuesOf& right, std::string setting) {
  RelationCheck check{.setting = std::move(setting), .relation = relation};
  const Pairs pairs = side_by_side(left, right);
  const Differences difference = differences(pairs.a, pairs.b);
  check.images = static_cast<int64_t>(difference.finite.size());
  check.left_out = difference.missing + difference.infinite + pairs.only_a + pairs.only_b;
  check.left = describe(pairs.a).mean;
  check.right = describe(pairs.b).mean;
  check.difference = mean_interval(difference.finite);
  check.p = std::nan("");
  if (relation == Relation::kLess) check.p = wilcoxon(difference.finite, Alternative::kGreater).p;
  if (relation == Relation::kGreater) check.p = wilcoxon(difference.finite, Alternative::kLess).p;
  return check;
}

Verdict judge(const RelationCheck& check, const Claim& claim) {
  if (!check.difference.known()) return Verdict::kUndecided;
  // Differences towards the claimed side: `>` swaps the operands.
  const bool flipped = check.relation == Relation::kGreater || check.relation == Relation::kAtLeast;
  const double low = flipped ? -check.difference.high : check.difference.low;
  const double high = flipped ? -check.difference.low : check.difference.high;
  switch (check.relation) {
    case Relation::kLess:
    case Relation::kGreater:
      if (low > 0 && check.p < claim.p) return Verdict::kHolds;
      return high <= 0 ? Verdict::kFails : Verdict::kUndecided;
    case Relation::kAtMost:
    case Relation::kAtLeast:
      if (low >= 0) return Verdict::kHolds;
      return high < 0 ? Verdict::kFails : Verdict::kUndecided;
    case Relation::kEqual:
      if (low >= -claim.within && high <= claim.within) return Verdict::kHolds;
      return low > claim.within || high < -claim.within ? Verdict::kFails : Verdict::kUndecided;
  }
  return Verdict::kUndecided;
}

std::string_view symbol_of(Relation relation) {
  switch (relation) {
    case Relation::kLess:
      return "<";
    case Relation::kAtMost:
      return "<=";
    case Relation::kGreater:
      return ">";
    case Relation::kAtLeast:
      return ">=";
    case Relation::kEqual:
      return "=";
  }
  return "?";
}

}  // namespace

std::string_view verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds:
      return "holds";
    case Verdict::kFails:
      return "fails";
    case Verdict::kUndecided:
      return "undecided";
  }
  return "?";
}

ClaimCheck check_claim(const Claim& claim, const Results& results) {
  ClaimCheck check{.claim = claim};
  for (const ClaimCase& each : cases_of(claim, results, check.why)) {
    const std::vector<ValuesOf> values = values_of(claim, results, each);
    for (size_t k = 0; k < claim.relations.size(); ++k) {
      check.relations.push_back(compare(claim.relations[k], values[k], values[k + 1], setting_of(each, results)));
    }
  }
  std::vector<double> p;
  for (const RelationCheck& relation : check.relations) p.push_back(relation.p);
  const std::vector<double> corrected = holm(p);
  for (size_t k = 0; k < check.relations.size(); ++k) {
    check.relations[k].p = corrected[k];
    check.relations[k].verdict = judge(check.relations[k], claim);
  }
  const auto has = [&](Verdict verdict) {
    return std::ranges::find(check.relations, verdict, &RelationCheck::verdict) != check.relations.end();
  };
  check.verdict = has(Verdict::kFails)                                  ? Verdict::kFails
                  : check.relations.empty() || has(Verdict::kUndecided) ? Verdict::kUndecided
                                                                        : Verdict::kHolds;
  return check;
}

std::string one_line(const RelationCheck& check) {
  std::string text = check.setting.empty() ? "" : check.setting + ": ";
  text += fmt::format("{:.5g} {} {:.5g}", check.left, symbol_of(check.relation), check.right);
  if (check.images == 0) return text + "; no image has both sides";
  text += check.images == 1 ? "; one image: no interval"
                            : fmt::format("; difference [{:.4g}, {:.4g}]", check.difference.low, check.difference.high);
  if (!std::isnan(check.p)) text += fmt::format(", p = {:.2g}", check.p);
  text += fmt::format(", {} images", check.images);
  if (check.left_out > 0) text += fmt::format(", {} left out", check.left_out);
  return text;
}

}  // namespace roundtrip::analysis
