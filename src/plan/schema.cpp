#include "plan/schema.h"

#include "data/dataset.h"

namespace roundtrip::plan {

using config::Schema;
using config::Type;

const Schema& schema() {
  static const Schema table = [] {
    Schema s;
    s.add({"model.path", Type::path(), "", "a diffusers model folder"});
    s.add({"model.dtype", Type::one_of({"float32", "float64", "bfloat16", "float16"}), "",
           "number type of the networks"});
    s.add({"model.encode", Type::one_of({"mean", "sample"}), "", "mean or seeded sample of the codec's posterior"});

    s.add({"dataset.name", Type::one_of(data::dataset_names()), "", "kind of dataset"});
    s.add({"dataset.path", Type::path(), "", "where it lies"});
    s.add({"dataset.limit", Type::integer().min(1).or_null(), "images", "the first so many"});
    s.add({"dataset.ids", Type::list(Type::string()), "", "only these samples, in this order; empty: all"});
    s.add({"dataset.prompt", Type::string().or_null(), "", "for images that have no text of their own"});
    const Type side = Type::integer().min(1);
    s.add({"dataset.size", Type::any_of({side, Type::list(side).size(2)}).or_null(), "pixels",
           "size that images are brought to, a number or [height, width]; null: the model's"});
    s.add({"dataset.resample", Type::one_of({"area", "lanczos"}), "", "how images are resized"});

    // A method reads its own parameters, with types and ranges, when it is made (inversion/method.h).
    s.add_open_section("method");
    s.add_open_section("editor");  // likewise
    // So do a metric and a kind of dataset, which have keys beside those above.
    s.add_open_section("metric");
    s.add_open_section("dataset");
    // Claims of an experiment, which `roundtrip check` reads.
    s.add_open_section("expect");

    s.add({"task", Type::one_of({"reconstruct", "edit"}), "",
           "what the inversion is sampled under: its own prompt, or its target prompt"});
    s.add({"steps", Type::integer().min(1), "", "steps of the grid, S"});
    s.add({"guidance_scale", Type::number(), "", "w of classifier-free guidance when sampling"});
    s.add({"invert_guidance_scale", Type::number().or_null(), "", "w when inverting; null: the method's own"});
    s.add({"eps_at", Type::one_of({"t", "t-1"}), "",
           "inversion evaluates eps at the timestep stepped to (t) or from (t-1)"});
    s.add({"eta", Type::number().range(0, 1), "", "noise of DDIM sampling: 0 none, 1 as DDPM"});
    s.add({"seed", Type::integer().min(0), "", "seed of all noise"});
    s.add({"null_prompt", Type::string(), "", "prompt of the unconditional branch"});
    s.add({"metrics", Type::list(Type::string()), "", "what reconstructions are scored by"});

    s.add({"engine.device", Type::string(), "", "auto, cpu, cuda or cuda:n"});
    s.add({"engine.threads", Type::integer().range(1, 1024).or_null(), "", "threads; null: all cores"});
    s.add({"engine.max_batch", Type::any_of({Type::integer().range(1, 4096), Type::one_of({"auto"})}), "rows",
           "rows of a batch; auto: measured"});
    s.add({"engine.max_live", Type::integer().min(1).or_null(), "records", "records in flight"});
    s.add({"engine.memory", Type::number().above(0).or_null(), "GiB", "for a batch's activations"});
    s.add({"engine.determinism", Type::one_of({"fast", "strict"}), "",
           "strict: bit for bit the same whatever rides in the batch"});
    s.add({"engine.timing", Type::one_of({"amortised", "isolated"}), "", "how seconds are measured"});

    s.add({"save.trajectories", Type::boolean(), "", "keep every latent of both walks"});
    s.add({"save.images", Type::one_of({"none", "worst-8", "all"}), "", "keep reconstructions"});
    return s;
  }();
  return table;
}

}  // namespace roundtrip::plan
