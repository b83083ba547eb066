// A network as a denoiser. Of the VP family: v- and sample-predictions become eps, with alpha_bar at the row's own t.
//
//   x = a x_0 + s eps,  a = sqrt(alpha_bar_t),  s = sqrt(1 - alpha_bar_t)
//   v = a eps - s x_0       =>  eps = a v + s x            (Salimans & Ho, ICLR 2022, appendix D)
//   sample prediction x_0   =>  eps = (x - a x_0) / s
#pragma once

#include <memory>

#include "diffusion/noise_schedule.h"
#include "model/network.h"

namespace roundtrip::model {

// A network that predicts a flow's velocity, as it is.
std::unique_ptr<diffusion::Denoiser> as_velocity(std::unique_ptr<Network> network);

std::unique_ptr<diffusion::Denoiser> as_eps(std::unique_ptr<Network> network,
                                            const diffusion::ScheduleConfig& schedule);

}  // namespace roundtrip::model
