// scheduler/scheduler_config.json of a diffusers folder, read as a noise schedule or as the settings of a flow.
//
// A folder's scheduler class chooses a sampler. The schedule that the network was trained on is in keys that all
// classes share, so the class does not matter, with one exception: a latent consistency model (LCMScheduler) knows the
// timesteps that it was distilled at and no others. Absent keys have DDIMScheduler's defaults (diffusers 0.42). Keys
// that only a sampler uses are recorded in `ignored` as key=value. Refused: classes without a schedule of betas (flow
// matching, EDM ...), and values of the shared keys that are not implemented.
#pragma once

#include <filesystem>

#include "diffusion/flow_schedule.h"
#include "diffusion/noise_schedule.h"
#include "model/json_config.h"

namespace roundtrip::model {

// Throws kInput, naming the file and the key.
diffusion::ScheduleConfig read_scheduler_config(const std::filesystem::path& path);
diffusion::ScheduleConfig read_scheduler_config(JsonConfig config);

// The settings of FlowMatchEulerDiscreteScheduler; its line of sigmas is the network's. Every key decides the sigmas:
// unsupported settings are refused, and none is ignored.
diffusion::FlowConfig read_flow_config(JsonConfig config, diffusion::FlowLine line);

}  // namespace roundtrip::model
