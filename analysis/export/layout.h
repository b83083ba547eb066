// Layout of a paper's table and the figures that the paper published, as YAML: built in, or a file of the user.
//
//   source: Miyake et al. 2023, Table 1
//   where: "guidance_scale=7.5, steps=50"
//   rows:
//     - {label: DDIM, where: "method=ddim"}
//   columns:
//     - {label: PSNR, of: psnr}
//     - {label: "S = 10", of: mse, where: "steps=10", times: 1000}   (better: higher, if no run has the measure)
//   counts: true                               (the number of images behind each column, in a last row)
//
//   rows: {each: method}                       (instead: one row for each value in the records)
//   by: [edit_type]                            (split every setting by the types of its edits, which become an axis)
//
//   source: Miyake et al. 2023, Table 1        (published figures: a separate file)
//   values:
//     - {where: "method=null_text", psnr: 26.11, lpips: 0.075}
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "analysis/claims/claim.h"

namespace roundtrip::analysis {

struct LayoutRow {
  std::string label;
  Selector where;
};

struct LayoutColumn {
  std::string label, of;
  Selector where = {};
  double times = 1;              // factor that the paper multiplies by
  std::string better = "lower";  // or "higher": of a measure that the run does not have
};

struct Layout {
  std::string name, source;
  Selector where;
  std::vector<std::string> by = {};  // columns of text that split every setting, such as edit_type
  std::string each;                  // axis whose values are the rows; empty if `rows` names them
  std::vector<LayoutRow> rows;
  std::vector<LayoutColumn> columns;
  bool counts = false;  // a last row has the number of images behind each column
};

struct PublishedValues {
  Selector where;
  std::map<std::string, double> of;  // by measure
};

struct Published {
  std::string source;
  std::vector<PublishedValues> values;
};

// Takes a built-in name or a file. Throws kMissing with the nearest name, kParse or kType with file and line.
Layout read_layout(const std::string& name_or_file);
Published read_published(const std::string& name_or_file);
std::vector<std::string> layout_names();

}  // namespace roundtrip::analysis
