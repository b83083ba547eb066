// A network that predicts v or the sample, read as one that predicts eps, with alpha_bar at the t that is
// passed.
//
//   x = a x_0 + s eps,  a = sqrt(alpha_bar_t),  s = sqrt(1 - alpha_bar_t)
//   v = a eps - s x_0       =>  eps = a v + s x            (Salimans & Ho, ICLR 2022, appendix D)
//   sample prediction x_0   =>  eps = (x - a x_0) / s
#pragma once

#include <memory>

#include "diffusion/denoiser.h"
#include "diffusion/noise_schedule.h"

namespace roundtrip::model {

// `network` itself where the schedule says that it predicts eps.
std::unique_ptr<diffusion::Denoiser> as_eps(std::unique_ptr<diffusion::Denoiser> network,
                                            const diffusion::ScheduleConfig& schedule);

}  // namespace roundtrip::model
