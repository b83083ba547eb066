// Ctrl-C and SIGTERM: the first signal lets the run stop and save, a second ends the process at once.
#pragma once

namespace roundtrip::run {

void watch_for_interrupts();
int interrupt_signal();  // 0 before any signal

}  // namespace roundtrip::run
