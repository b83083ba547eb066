#include "plan/schema.h"

#include <cmath>

#include "columns/columns.h"
#include "data/dataset.h"

namespace roundtrip::plan {

using config::Schema;
using config::Type;

const Schema& schema() {
  static const Schema table = [] {
    Schema s;
    s.add({"model.path", Type::path(), "", "path of a diffusers model folder"});
    s.add({"model.dtype", Type::one_of({"float32", "float64", "bfloat16", "float16"}), "",
           "floating-point type of the weights"});
    s.add({"model.encode", Type::one_of({"mean", "sample"}), "",
           "latent of an image: the mean of the codec's posterior, or a seeded sample"});

    s.add({"model.t5_tokens", Type::integer().min(1).or_null(), "tokens",
           "length of prompts for a T5 text encoder; null: 256 for SD3, 512 for FLUX"});
    s.add({"model.shift", Type::number().above(0).or_null(), "",
           "static shift of a flow model's noise levels; null: as its scheduler config says"});

    s.add({"dataset.name", Type::one_of(data::dataset_names()), "", "kind of dataset"});
    s.add({"dataset.path", Type::path(), "", "path of the dataset"});
    s.add({"dataset.limit", Type::integer().min(1).or_null(), "images", "use only the first N images"});
    s.add({"dataset.ids", Type::list(Type::string()), "", "use only these samples, in this order; empty: all"});
    s.add({"dataset.prompt", Type::string().or_null(), "", "prompt for images without a caption"});
    const Type side = Type::integer().min(1);
    s.add({"dataset.size", Type::any_of({side, Type::list(side).size(2)}).or_null(), "pixels",
           "size that images are resized to, a number or [height, width]; null: the model's"});
    s.add({"dataset.resample", Type::one_of({"area", "lanczos", "bicubic"}), "", "how images are resized"});

    // A method reads its own parameters, with types and ranges, when it is made (inversion/method.h).
    s.add_open_section("method");
    s.add_open_section("editor");  // likewise
    // So do a metric and a kind of dataset, which have keys beside those above.
    s.add_open_section("metric");
    s.add_open_section("dataset");
    // Axes of pictures that another program made, which `roundtrip score` writes into their columns.
    s.add_open_section("label");
    // Claims of an experiment, which `roundtrip check` reads.
    s.add_open_section("expect");

    s.add({"task", Type::one_of({"reconstruct", "edit"}), "",
           "reconstruct: sample with the source prompt; edit: with the target prompt"});
    s.add({"steps", Type::integer().min(1), "", "number of steps of the grid, S"});
    for (const columns::NumberSetting& setting : columns::kNumberSettings) {
      const bool bounded = std::isfinite(setting.min) && std::isfinite(setting.max);
      const Type type = bounded ? Type::number().range(setting.min, setting.max) : Type::number();
      s.add({setting.column.name, type, "", setting.column.long_name});
    }
    s.add({"invert_guidance_scale", Type::number().or_null(), "",
           "guidance scale w when inverting; null: the method's default"});
    s.add({"eps_at", Type::one_of({"t", "t-1"}), "",
           "inversion evaluates eps at the timestep stepped to (t) or from (t-1)"});
    s.add({"seed", Type::integer().min(0), "", "seed of all noise"});
    s.add({"null_prompt", Type::string(), "", "prompt of the unconditional branch"});
    s.add({"source_prompt", Type::string().or_null(), "",
           "prompt of the source, when inverting and in an editor; null: each image's own"});
    s.add({"metrics", Type::list(Type::string()), "", "metrics that score the results"});

    s.add({"pie.protocol", Type::one_of({"proper", "released"}), "",
           "how edits are scored: proper, or as the released evaluation of PIE-Bench does"});
    s.add({"pie.save", Type::one_of({"float", "png", "jpeg"}).or_null(), "",
           "what a result is saved as before it is scored; null: float, or jpeg under released"});
    s.add({"pie.resolution", Type::integer().min(1).or_null(), "pixels",
           "side that source and result are resized to before they are scored; null: as they are"});

    s.add({"engine.device", Type::string(), "", "device of the networks: auto, cpu, cuda or cuda:N"});
    s.add({"engine.threads", Type::integer().range(1, 1024).or_null(), "", "number of CPU threads; null: all cores"});
    s.add({"engine.max_batch", Type::any_of({Type::integer().range(1, 4096), Type::one_of({"auto"})}), "rows",
           "rows per batch; auto: measured when the run starts"});
    s.add({"engine.max_live", Type::integer().min(1).or_null(), "records", "records in progress at once"});
    s.add({"engine.memory", Type::number().above(0).or_null(), "GiB",
           "memory for a batch's activations; null: half of the device's free memory"});
    s.add({"engine.determinism", Type::one_of({"fast", "strict"}), "",
           "strict: results do not depend on the batch, bit for bit"});
    s.add({"engine.timing", Type::one_of({"amortised", "isolated"}), "",
           "amortised: each row's share of its batch; isolated: one record at a time"});

    s.add({"save.trajectories", Type::boolean(), "", "save every latent of inversion and sampling"});
    s.add({"save.images", Type::one_of({"none", "worst-8", "all"}), "", "save results as images"});
    return s;
  }();
  return table;
}

}  // namespace roundtrip::plan
