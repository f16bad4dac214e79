// SPDX-License-Identifier: MIT
#pragma once

// The machine under a MemorySystem: what a port supplies. Cold and machine-shaped services only;
// what is hot and CPU-shaped is `Arch` (src/arch/arch.h).
//
// A Platform outlives the MemorySystem booted on it. Methods are called in any context the caller
// of the MemorySystem is in, with interrupts possibly off, unless a method says otherwise.

#include <cstddef>
#include <cstdint>
#include <span>

#include "quarry/units.h"

namespace quarry {

enum class MemoryType : uint8_t { kUsable, kReserved };

// Physical memory [start, start + bytes). Usable ranges do not overlap; a reserved range takes its
// part out of the usable ones it lies in. What no range names is a hole.
struct MemoryRange {
  PhysAddr start;
  uint64_t bytes;
  NodeId node;
  MemoryType type;
};

// Where the pages of a mapping may be used for.
enum class MapAccess : uint8_t { kReadWrite, kReadOnly };

// What a system does around a moment in which the machine is copied (fork), on the thread that does
// it: after before() nothing of the system changes until after(), which runs in every copy. Before
// it alone() runs in a copy that has no thread but the one that made it.
struct ForkHooks {
  void (*before)(void* context) = nullptr;
  void (*alone)(void* context) = nullptr;
  void (*after)(void* context) = nullptr;
  void* context = nullptr;
};

// What a system does when nobody waits for it. step() does what can be done without waiting and
// returns after how many nanoseconds it is to be called again; kNever: when wake_background() asks
// for it. In process context, by any number of threads, no lock held.
struct BackgroundWork {
  static constexpr uint64_t kNever = ~uint64_t{0};
  uint64_t (*step)(void* context) = nullptr;
  void* context = nullptr;
};

class Platform {
 public:
  // --- Description of the machine; asked once, at boot ---

  virtual std::span<const MemoryRange> memory_ranges() const = 0;
  virtual unsigned cpu_count() const = 0;
  virtual NodeId cpu_node(CpuId cpu) const = 0;
  // ACPI SLIT units: 10 is local.
  virtual unsigned node_distance(NodeId from, NodeId to) const = 0;
  // True where all usable memory reads as zero when a system boots on the machine.
  virtual bool memory_is_zeroed() const = 0;
  // The system has shut down and nobody needs what the memory holds. Where memory_is_zeroed(), it
  // is zero again afterwards.
  virtual void discard_memory() = 0;
  // Where physical address 0 would be seen; all directly mapped memory follows linearly.
  virtual VirtAddr direct_map_base() const = 0;
  // The address range that vmalloc may use, page-aligned.
  virtual VirtAddr vmalloc_start() const = 0;
  virtual VirtAddr vmalloc_end() const = 0;
  // Top-level page table of the one address space that the core runs in on every CPU, where the
  // core is to write page tables itself: its address in the direct map. From boot() on, all
  // mappings from vmalloc_start() to vmalloc_end() and from kmap_start() to kmap_end() are the
  // core's; none is there then, and no large page. Lower tables that the platform has put there are
  // used, and stay. 0: the platform maps, by map() and unmap().
  virtual VirtAddr page_table_root() const { return {}; }
  // Addresses for frames above the direct map, page-aligned: 1024 pages for kmap() and 16 for each
  // CPU. Needs page_table_root(). Empty: the machine has no such frames.
  virtual VirtAddr kmap_start() const { return {}; }
  virtual VirtAddr kmap_end() const { return {}; }
  // True where Arch::pop and push may be used; false for simulated CPUs and without rseq, where
  // per-CPU arrays sit behind a lock.
  virtual bool has_lockless_arrays() const = 0;

  // --- Services ---

  // CPU that the caller runs on, less than cpu_count(). May be stale at once.
  virtual CpuId current_cpu() const = 0;
  // When it returns, every array operation that was under way on any CPU has ended or started again
  // and sees all stores made before the call. False: not to be had, the arrays must stay off.
  virtual bool restart_array_operations() = 0;

  // Where page_table_root() is 0: makes `count` frames from `first` on visible at `at`; mapped as
  // one piece. False: the machine refuses (page tables, limit of mappings); nothing is mapped then.
  virtual bool map(VirtAddr /*at*/, Pfn /*first*/, size_t /*count*/, MapAccess /*access*/) {
    return false;
  }
  // Removes whatever is mapped in `count` pages from `at` on; afterwards an access there faults on
  // every CPU.
  virtual void unmap(VirtAddr /*at*/, size_t /*count*/) {}

  // Where page_table_root() is not 0: runs call(context) on every CPU, the caller's own included,
  // with interrupts off, and returns when all have run it. Called in any context, with interrupts
  // off and locks held too; so a CPU that waits with interrupts off (Arch::relax(), and in here)
  // has to run the calls that others ask it for. The default is for a machine with one CPU, whose
  // caller has interrupts off.
  virtual void run_on_all_cpus(void (*call)(void* context), void* context) { call(context); }

  // From the system on this machine when it boots; {} when it shuts down. A machine that is never
  // copied need not keep them.
  virtual void set_fork_hooks(const ForkHooks& hooks) = 0;

  // Another thread of the machine may free memory, or a slot of kmap(), or end a section of RCU
  // meanwhile: waits a little and returns true. False: nobody else can run, waiting is futile.
  virtual bool wait_for_memory() = 0;

  // From the system on this machine when it boots; {} when it shuts down, and when that returns
  // nobody is in step() any more. A port without threads need not keep it: then the program calls
  // MemorySystem::step() now and then.
  virtual void set_background_work(const BackgroundWork& /*work*/) {}
  // There is something for step() to do. Any context, with locks held.
  virtual void wake_background() {}

  virtual uint64_t clock_ns() const = 0;
  // Number of the task that runs, for reports. 0: the machine tells no tasks apart.
  virtual int task_id() const { return 0; }
  // One report line or a piece of it; ends with '\n' where the line ends. Never allocates.
  virtual void log(const char* text, size_t length) = 0;
  // Return addresses of the caller, innermost first; how many were found.
  virtual size_t backtrace(std::span<uintptr_t> frames) const = 0;
  // The calling thread's backtrace of an earlier moment, as far as it can still be told: of a call
  // that was to return to `place`, made with the stack pointer at `stack`. `place` leads, then the
  // functions that have not returned since; how many. `exact`: those are all there were. Otherwise
  // the function of `place` has returned, and what follows are functions that were probably there.
  virtual size_t earlier_backtrace(uintptr_t place, uintptr_t /*stack*/,
                                   std::span<uintptr_t> frames, bool& exact) const {
    exact = false;
    if (frames.empty()) return 0;
    frames[0] = place;
    return 1;
  }
  // Writes "symbol+0xoff/0xsize", or the address, into `text` (NUL-terminated, cut to its size).
  virtual void symbolize(uintptr_t address, std::span<char> text) const = 0;
  // Reports and never returns.
  [[noreturn]] virtual void fatal(const char* message) = 0;

 protected:
  ~Platform() = default;
};

}  // namespace quarry
