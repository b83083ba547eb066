#include <fmt/format.h>

#include "app/commands.h"

namespace roundtrip::app {
namespace {

constexpr std::string_view kOpening =
    R"(Roundtrip takes images to the noise that a diffusion model would make them from, and back, and measures
what was lost, what it cost and where the error came from.
)";

constexpr std::string_view kRunning = R"(
  roundtrip -m model.path=MODEL dataset.path=PHOTOS method=ddim,forward_noise steps=10,50 guidance_scale=1,7.5

Results go to multirun/DATE/TIME/results.h5 (with -m) or outputs/DATE/TIME/results.h5, or to hydra.sweep.dir=DIR and
hydra.run.dir=DIR. They open with h5py, pandas and xarray.open_dataset(path, engine="h5netcdf").

Configuration is Hydra's: `roundtrip --help` shows every key with its value, `roundtrip --cfg job` the whole config.
)";

constexpr std::string_view kExitCodes =
    R"(
Exit codes: 0 ok, 1 config or input, 2 usage, 3 some trial failed, 4 a claim or the gate failed, 5 undecided or nothing
compared, 130 and 143 interrupted with the state saved.
)";

}  // namespace

std::string usage() {
  std::string text(kOpening);
  bool runs = false;
  CommandGroup group = CommandGroup::kTools;
  for (const Command& command : commands()) {
    if (command.name == commands().front().name || command.group != group) text += "\n";
    group = command.group;
    runs = runs || command.name == "run";
    text += fmt::format("  roundtrip {:<42} {}\n", command.synopsis, command.summary);
  }
  if (runs) text += kRunning;
  return text += kExitCodes;
}

}  // namespace roundtrip::app
