// SPDX-License-Identifier: MIT
#pragma once

namespace quarry {

// One more than the highest number a CPU of this host can ever have, hot-plugged ones included.
// 0: the host does not say.
unsigned possible_host_cpus();
// How many CPUs the host has now, present ones that are off included; at least 1.
unsigned configured_host_cpus();

// Makes Arch usable; and, if they are wanted, registers this process for restart_host_sequences().
// False: not wanted, the host has no restartable sequences, or the C library did not register them
// for its threads.
bool register_host_sequences(bool wanted);
// Every restartable sequence under way on any CPU has ended or starts again. False: refused.
bool restart_host_sequences();

}  // namespace quarry
