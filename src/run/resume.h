// A run's store, new or taken up again: what of the plan is there already, and whether it is the same plan.
//
// A record that is there is known by its trial's id (identity.h), its sample and its edit; it is kept only where its
// inputs are as they were.
#pragma once

#include "plan/plan.h"
#include "store/run_store.h"

namespace roundtrip::run {

enum class Resume {
  kNo,      // a new run
  kSame,    // goes on with the same plan
  kExtend,  // the plan may have more trials and more samples than the run's
};

// Throws kInput where the directory holds no run or another process writes it; where the plan is another one (with the
// first difference), or under kExtend lacks records that are there; and where an image or a prompt has changed.
store::RunStore open_store(const plan::Plan& plan, const std::filesystem::path& directory, Resume resume,
                           const std::map<std::string, std::string>& provenance);

// Has the failed records of a run that was taken up made anew; returns how many they are.
int64_t forget_failures(store::RunStore& store);

}  // namespace roundtrip::run
