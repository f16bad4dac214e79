// SPDX-License-Identifier: MIT
#pragma once

namespace quarry {

// One more than the highest number a CPU of this host can ever have, hot-plugged ones included.
// 0: the host does not say.
unsigned possible_host_cpus();
// How many CPUs the host has now, present ones that are off included; at least 1.
unsigned configured_host_cpus();

// Registers this process for restart_host_sequences(). False: the host has no restartable
// sequences, or the C library did not register them for its threads.
bool register_host_sequences();
// Every restartable sequence under way on any CPU has ended or starts again. False: refused.
bool restart_host_sequences();

}  // namespace quarry
