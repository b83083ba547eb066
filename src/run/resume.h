// Opens the store of a new or resumed run: finds the records that exist, and checks that the plan is the same.
//
// A stored record is identified by its trial's id (identity.h), its sample and its edit. It is kept only if its inputs
// have not changed.
#pragma once

#include "plan/plan.h"
#include "store/run_store.h"

namespace roundtrip::run {

enum class Resume {
  kNo,      // a new run
  kSame,    // continue with the same plan
  kExtend,  // the plan may have more trials and samples than the run
};

// Throws kInput if the directory has no run or another process writes it; if the plan differs (naming the first
// difference), or with kExtend lacks stored records; and if an image or a prompt has changed.
store::RunStore open_store(const plan::Plan& plan, const std::filesystem::path& directory, Resume resume,
                           const std::map<std::string, std::string>& provenance);

// Marks the failed records of a resumed run to be made again. Returns their number.
int64_t forget_failures(store::RunStore& store);

}  // namespace roundtrip::run
