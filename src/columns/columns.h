// Columns of a run's record table. Writers and readers of records name columns by these handles.
//
// A run also has a column for each other swept key (`p.<key>`), and those of its metrics (scores.h).
#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/columns.h"

namespace roundtrip::columns {

using store::CountColumn;
using store::NumberColumn;
using store::TextColumn;

// The setting and the image.
using store::kEdit;
using store::kInputDigest;
using store::kSample;
using store::kTrial;
inline constexpr TextColumn kEditType{"edit_type", "type of the edit, as its dataset names it"};
inline constexpr TextColumn kTask{"task", "reconstruct or edit"};
inline constexpr TextColumn kMethod{"method", "inversion method"};
inline constexpr TextColumn kEditor{"editor", "what controls the edit, beside the target prompt"};
inline constexpr CountColumn kSteps{"steps", "steps of the grid, S"};
inline constexpr NumberColumn kGuidanceScale{"guidance_scale", "guidance scale w when sampling"};
inline constexpr NumberColumn kInvertGuidanceScale{"invert_guidance_scale", "w when inverting, as it took effect"};
inline constexpr TextColumn kEpsAt{"eps_at", "inversion evaluates at the time stepped to (t) or from (t-1)"};
inline constexpr NumberColumn kEta{"eta", "noise added by DDIM sampling: 0 none, 1 as in DDPM"};
inline constexpr CountColumn kSeed{"seed", "seed of all noise"};
inline constexpr TextColumn kModel{"model", "model"};
inline constexpr TextColumn kDataset{"dataset", "dataset"};
inline constexpr TextColumn kDtype{"dtype", "number type of the networks"};

// The settings of a trial that are numbers, one line each. A line is the whole declaration: the config key with its
// type and range, its help, the column, its label in tables, the keys of shared work and the getter of methods
// (Problem::number) follow from it. The value is in configs/config.yaml.
struct NumberSetting {
  NumberColumn column;  // the config key, and the help
  const char* label;
  double min = -std::numeric_limits<double>::infinity(), max = std::numeric_limits<double>::infinity();
};
inline constexpr NumberSetting kNumberSettings[] = {
    {kGuidanceScale, "w"},
    {kEta, "eta", 0, 1},
};

// The outcome: "ok" or "failed", and one line.
using store::kError;
using store::kStatus;

// Network evaluations, seconds by stage, memory, and how they were timed.
inline constexpr CountColumn kInvertNfe{"invert_nfe", "network evaluations of the inversion, alone and unshared", "",
                                        "lower"};
inline constexpr CountColumn kFitNfe{
    "fit_nfe", "network evaluations of the fit, and of the source's walk where an editor reads it", "", "lower"};
inline constexpr CountColumn kSampleNfe{"sample_nfe", "network evaluations of the sampling", "", "lower"};
inline constexpr CountColumn kReleasedNfe{"sample_nfe_released",
                                          "network evaluations of the editor's sampling in its published code"};
inline constexpr CountColumn kGradNfe{"grad_nfe", "backward passes through the network", "", "lower"};
inline constexpr CountColumn kStateBytes{"state_bytes", "what the method keeps from inversion to sampling", "B",
                                         "lower"};
inline constexpr NumberColumn kEncodeSeconds{"encode_seconds", "image to latent", "s", "lower"};
inline constexpr NumberColumn kInvertSeconds{"invert_seconds", "latent to noise", "s", "lower"};
inline constexpr NumberColumn kFitSeconds{"fit_seconds", "fitting embeddings or latents", "s", "lower"};
inline constexpr NumberColumn kSampleSeconds{"sample_seconds", "noise to latent", "s", "lower"};
inline constexpr NumberColumn kDecodeSeconds{"decode_seconds", "latent to image", "s", "lower"};
inline constexpr TextColumn kTiming{"timing", "amortised (a share of each batch) or isolated (one record at a time)"};
inline constexpr NumberColumn kBatchRows{"batch_rows", "mean size of the network batches that its rows rode in"};
inline constexpr CountColumn kPeakMemoryBytes{"peak_memory_bytes",
                                              "peak memory of the record; known when timing is isolated", "B", "lower"};

// Distance of the inverted latent from white noise.
inline constexpr NumberColumn kNoiseMean{"noise_mean", "mean of the inverted latent; white noise: 0"};
inline constexpr NumberColumn kNoiseStd{"noise_std", "standard deviation of the inverted latent; white noise: 1"};
inline constexpr NumberColumn kNoiseAutocorrelation{"noise_autocorrelation",
                                                    "correlation of neighbours in the inverted latent; white noise: 0"};
inline constexpr NumberColumn kNoiseKl{
    "noise_kl", "KL divergence of the latent's normal fit from N(0, 1); white noise: 0", "", "lower"};

// Sums for tables; the file has no such columns.
inline constexpr NumberColumn kNfe{"nfe", "network evaluations, forward", "", "lower"};
inline constexpr NumberColumn kSeconds{"seconds", "time in the network", "s", "lower"};

// Column of the setting, with its names in tables and in configs.
struct Axis {
  store::Column column;
  std::string label;              // "w"
  std::vector<std::string> keys;  // config keys with which it varies: "guidance_scale"
  std::string before = {};        // what records mean by not having the column, if it came after the first files
};

// Axes of a setting in the table's order. Swept parameters follow them.
const std::vector<Axis>& axes();
bool is_axis(std::string_view column);            // one of these, or a swept parameter
std::string axis_label(std::string_view column);  // the column's name if it is not an axis

// A swept key that is not an axis has the column "p.<key>". A `/` of a group becomes a `.`.
std::string parameter_column(std::string key);
bool is_parameter(std::string_view column);

// Terms of the sums `nfe` and `seconds`: inversion, fit and sampling.
const std::vector<std::string>& nfe_columns();
const std::vector<std::string>& seconds_columns();

std::vector<store::Column> cost_columns();
std::vector<store::Column> noise_columns();

// All columns of a run in the table's order: setting and image, swept parameters, outcome, metrics, cost, noise.
std::vector<store::Column> table_columns(std::span<const store::Column> parameters,
                                         std::span<const store::Column> metrics);

}  // namespace roundtrip::columns
