#include "analysis/claims/claim_cells.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace roundtrip::analysis {
namespace {

struct Leaf {
  std::string column;
  Selector where;
  std::string axis;  // slopes only
};

void collect(const Expression& expression, std::vector<Leaf>& leaves) {
  if (const auto* measure = std::get_if<Measure>(&expression.form)) {
    leaves.push_back({measure->column, measure->where, ""});
  } else if (const auto* slope = std::get_if<Slope>(&expression.form)) {
    leaves.push_back({slope->column, slope->where, slope->axis});
  } else if (const auto* operation = std::get_if<Operation>(&expression.form)) {
    collect(*operation->left, leaves);
    collect(*operation->right, leaves);
  }
}

// Cells of one leaf, under each choice of the axes that vary over them.
std::vector<ClaimCase> cases_of_leaf(const Leaf& leaf, const Results& results) {
  const std::vector<const Cell*> cells = select(results, leaf.where);
  const size_t sloped = leaf.axis.empty() ? results.axes().size() : results.axis(leaf.axis);
  std::vector<size_t> open;
  for (const size_t axis : results.varying()) {
    if (axis == sloped) continue;
    const auto differs = [&](const Cell* cell) {
      return !same_value(cell->setting[axis], cells.front()->setting[axis]);
    };
    if (std::ranges::any_of(cells, differs)) open.push_back(axis);
  }
  std::vector<ClaimCase> cases;
  for (const Cell* cell : cells) {
    const auto agrees = [&](const ClaimCase& each) {
      return std::ranges::all_of(open,
                                 [&](size_t axis) { return same_value(each.open.at(axis), cell->setting[axis]); });
    };
    auto found = std::ranges::find_if(cases, agrees);
    if (found == cases.end()) {
      ClaimCase added{.open = {}, .cells = {{}}};
      for (const size_t axis : open) added.open[axis] = cell->setting[axis];
      found = cases.insert(cases.end(), std::move(added));
    }
    found->cells.front().push_back(cell);
  }
  return cases;
}

bool agree(const ClaimCase& a, const ClaimCase& b) {
  return std::ranges::all_of(a.open, [&](const auto& entry) {
    const auto other = b.open.find(entry.first);
    return other == b.open.end() || same_value(other->second, entry.second);
  });
}

ClaimCase joined(const ClaimCase& a, const ClaimCase& b) {
  ClaimCase both = a;
  both.open.insert(b.open.begin(), b.open.end());
  both.cells.insert(both.cells.end(), b.cells.begin(), b.cells.end());
  return both;
}

std::string text_of(const Selector& where) {
  std::vector<std::string> parts;
  for (const auto& [axis, value] : where) parts.push_back(axis + "=" + value);
  return "[" + join(parts, ", ") + "]";
}

}  // namespace

std::vector<const Cell*> select(const Results& results, const Selector& where) {
  std::vector<std::pair<size_t, std::string>> wanted;
  for (const auto& [axis, value] : where) wanted.emplace_back(results.axis(axis), value);
  std::vector<const Cell*> cells;
  for (const Cell& cell : results.cells()) {
    const auto has = [&](const auto& each) { return value_is(cell.setting[each.first], each.second); };
    if (std::ranges::all_of(wanted, has)) cells.push_back(&cell);
  }
  return cells;
}

std::vector<ClaimCase> cases_of(const Claim& claim, const Results& results, std::string& why) {
  std::vector<Leaf> leaves;
  for (const Operand& operand : claim.operands) collect(*operand, leaves);
  std::vector<ClaimCase> cases = {ClaimCase{}};
  for (const Leaf& leaf : leaves) {
    results.numbers(leaf.column);  // throws for an unknown column
    const std::vector<ClaimCase> of_leaf = cases_of_leaf(leaf, results);
    if (of_leaf.empty()) {
      why = "the run has no cell " + text_of(leaf.where);
      return {};
    }
    std::vector<ClaimCase> both;
    for (const ClaimCase& a : cases) {
      for (const ClaimCase& b : of_leaf) {
        if (agree(a, b)) both.push_back(joined(a, b));
      }
    }
    cases = std::move(both);
  }
  if (cases.empty()) why = "the cells that are compared share no setting";
  return cases;
}

}  // namespace roundtrip::analysis
