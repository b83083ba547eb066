#include "app/commands.h"

namespace roundtrip::app {

std::string usage() {
  return R"(Roundtrip takes images to the noise that a diffusion model would make them from, and back, and measures
what was lost, what it cost and where the error came from.

  roundtrip [run] [-m] [KEY=VALUE ...]   one trial over a dataset; -m sweeps over values with commas
  roundtrip plan [-m] [KEY=VALUE ...]    what would run: trials, records, network evaluations; --json
  roundtrip list [WHAT]                  methods, metrics, datasets, models, experiments

  roundtrip -m model.path=MODEL dataset.path=PHOTOS method=ddim,forward_noise steps=10,50 guidance_scale=1,7.5

Results go to multirun/DATE/TIME/results.h5 (with -m) or outputs/DATE/TIME/results.h5, or to hydra.sweep.dir=DIR and
hydra.run.dir=DIR. They open with h5py, pandas and xarray.open_dataset(path, engine="h5netcdf").

Configuration is Hydra's: `roundtrip --help` shows every key with its value, `roundtrip --cfg job` the whole config.
Exit codes: 0 ok, 1 config or input, 2 usage, 3 some trial failed, 130 and 143 interrupted with the state saved.
)";
}

}  // namespace roundtrip::app
