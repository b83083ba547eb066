// Reads claims from the `expect:` list of an experiment, in a file or in the config that a run stored.
//
//   expect:
//     - psnr[eps_at=t] > psnr[eps_at=t-1]
//     - claim: slope(mse, steps)[method=ddim] <= -0.5
//       says: more steps reconstruct better
//       source: Song et al. 2021, Table 2
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/claims/claim.h"
#include "analysis/table/results.h"
#include "hydra/tree/node.h"

namespace roundtrip::analysis {

// Throws kParse or kType naming the file and line. A node without `expect` has no claims.
std::vector<Claim> claims_in(const hydra::Node& config, const std::string& where);
std::vector<Claim> claims_of_file(const std::filesystem::path& file);
std::vector<Claim> claims_of_run(const Results& results);          // from the config of its first trial
std::vector<Claim> claims_of_experiment(const std::string& name);  // a built-in one; throws kMissing

}  // namespace roundtrip::analysis
