// SPDX-License-Identifier: MIT
#pragma once

#include "x86/machine.h"

namespace quarry {

// Starts all CPUs but the one that runs, each on a stack of `stack_bytes` at stacks[cpu], and waits
// until they are there. Afterwards they sleep until run_on() has something for them.
void start_other_cpus(void* const* stacks, size_t stack_bytes);

// Runs `call(context)` on every CPU that has started, with interrupts off, and returns when all
// have run it. Any context: a CPU that spins or waits with interrupts off serves the calls of
// others (Arch::relax), so nobody waits for somebody who waits for him.
void run_on_all_cpus(void (*call)(void* context), void* context);
// Runs the call that others want of this CPU, if any. Interrupts are off.
void serve_call();

// What CPUs without a job do when wake_background() says that there is some; {}: nothing, and when
// it returns nobody is at it any more.
void set_background_work(const BackgroundWork& work);
void wake_background();

// Gives a sleeping CPU other than the caller's something to do, in process context with interrupts
// on. It must have finished what it had before.
void run_on(CpuId cpu, CpuJob job, void* context);
bool is_busy(CpuId cpu);
// Returns when the CPU has done its job.
void wait_for(CpuId cpu);

}  // namespace quarry
