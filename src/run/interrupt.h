// Ctrl-C and SIGTERM: the first asks the run to stop and save, a second ends the process at once.
#pragma once

namespace roundtrip::run {

void watch_for_interrupts();
int interrupt_signal();  // 0 while none came

}  // namespace roundtrip::run
