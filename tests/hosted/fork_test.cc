// SPDX-License-Identifier: MIT
// fork() with machines: nobody ever writes the other's memory.
#include <gtest/gtest.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "hosted/fault_probe.h"
#include "quarry/hosted_platform.h"

namespace quarry {
namespace {

constexpr size_t kPage = 4096;

char* direct(const HostedPlatform& machine, uint64_t physical) {
  return machine.direct_map_base().as<char>() + physical;
}

// Runs `body` in a child; the exit status is 0 where it returns true.
template <typename Body>
pid_t in_child(Body&& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  return child;
}

int wait_for(pid_t child) {
  int status = -1;
  return waitpid(child, &status, 0) == child ? status : -1;
}

// Lets one process wait for a word of the other.
class Signal {
 public:
  Signal() { EXPECT_EQ(pipe(end_), 0); }
  ~Signal() {
    close(end_[0]);
    close(end_[1]);
  }
  void give() { EXPECT_EQ(write(end_[1], "x", 1), 1); }
  void await() {
    char got = 0;
    EXPECT_EQ(read(end_[0], &got, 1), 1);
  }

 private:
  int end_[2];
};

struct MappedMachine {
  MappedMachine() {
    EXPECT_TRUE(machine.open({.ram_bytes = 64 * kMiB}));
    area = machine.vmalloc_start() + 8 * kPage;
    EXPECT_TRUE(machine.map(area, Pfn{900}, 1, MapAccess::kReadWrite));
    EXPECT_TRUE(machine.map(area + kPage, Pfn{17}, 100, MapAccess::kReadWrite));
    EXPECT_TRUE(machine.map(area + 200 * kPage, Pfn{18}, 2, MapAccess::kReadOnly));
  }
  HostedPlatform machine;
  VirtAddr area{};
};

TEST(Fork, EachSideKeepsItsOwnMemory) {
  MappedMachine mapped;
  HostedPlatform& machine = mapped.machine;
  char* const page = direct(machine, 3000 * kPage);
  char* const area = mapped.area.as<char>();
  page[0] = 'p';
  area[5] = 'a';
  area[kPage + 5] = 'b';
  Signal parent_wrote;
  Signal child_wrote;
  const pid_t child = in_child([&] {
    bool good = page[0] == 'p' && area[5] == 'a' && area[kPage + 5] == 'b';
    parent_wrote.await();
    good = good && page[0] == 'p' && area[5] == 'a' && area[kPage + 5] == 'b';
    page[0] = 'c';
    area[5] = 'd';
    // In the child, too, both views are of one memory.
    good = good && direct(machine, 900 * kPage)[5] == 'd';
    direct(machine, 18 * kPage)[7] = 'r';
    good = good && area[2 * kPage + 7] == 'r' && area[200 * kPage + 7] == 'r';
    child_wrote.give();
    return good;
  });
  page[0] = 'P';
  area[5] = 'A';
  area[kPage + 5] = 'B';
  parent_wrote.give();
  child_wrote.await();
  EXPECT_EQ(page[0], 'P');
  EXPECT_EQ(area[5], 'A');
  EXPECT_EQ(area[2 * kPage + 7], 0);
  EXPECT_EQ(wait_for(child), 0);
}

TEST(Fork, TheChildMapsUnmapsAndForksItself) {
  MappedMachine mapped;
  HostedPlatform& machine = mapped.machine;
  mapped.area.as<char>()[kPage] = 'x';
  const pid_t child = in_child([&] {
    const VirtAddr area = mapped.area;
    if (!probe::read_faults((area + 101 * kPage).value())) return false;
    if (!probe::write_faults((area + 200 * kPage).value())) return false;
    for (int round = 0; round != 3; ++round) {
      machine.unmap(area + kPage, 100);
      if (!probe::read_faults((area + kPage).value())) return false;
      if (!machine.map(area + kPage, Pfn{17}, 100, MapAccess::kReadWrite)) return false;
      if (area.as<char>()[kPage] != 'x') return false;
    }
    if (machine.has_lockless_arrays() && !machine.restart_array_operations()) return false;
    const pid_t grandchild = in_child([&] {
      const bool good = area.as<char>()[kPage] == 'x';
      area.as<char>()[kPage] = 'y';
      return good;
    });
    return wait_for(grandchild) == 0 && area.as<char>()[kPage] == 'x';
  });
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(mapped.area.as<char>()[kPage], 'x');
}

TEST(Fork, HooksRunAroundTheCopyOnBothSides) {
  struct Calls {
    char* page;
    int before = 0;
    int after = 0;
  };
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 16 * kMiB}));
  Calls calls{.page = direct(machine, 5 * kPage)};
  machine.set_fork_hooks({.before =
                              [](void* context) {
                                auto& it = *static_cast<Calls*>(context);
                                ++it.before;
                                it.page[0] = 'h';  // is part of the copy
                              },
                          .after = [](void* context) { ++static_cast<Calls*>(context)->after; },
                          .context = &calls});
  const pid_t child =
      in_child([&] { return calls.before == 1 && calls.after == 1 && calls.page[0] == 'h'; });
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(calls.before, 1);
  EXPECT_EQ(calls.after, 1);
  machine.set_fork_hooks({});
  EXPECT_EQ(wait_for(in_child([] { return true; })), 0);
  EXPECT_EQ(calls.before, 1);
}

TEST(Fork, WorksWhileThreadsMapAndUnmap) {
  constexpr unsigned kThreads = 3;
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 64 * kMiB}));
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t != kThreads; ++t) {
    threads.emplace_back([&, t] {
      const VirtAddr area = machine.vmalloc_start() + t * 1000 * kPage;
      for (uint32_t round = 0; !stop; ++round) {
        const size_t count = 1 + round % 80;
        const Pfn first{1000 * (t + 1) + round % 50};
        ASSERT_TRUE(machine.map(area, first, count, MapAccess::kReadWrite));
        area.as<char>()[(count - 1) * kPage] = static_cast<char>(round);
        ASSERT_EQ(direct(machine, (first.value() + count - 1) * kPage)[0],
                  static_cast<char>(round));
        machine.unmap(area, count);
      }
    });
  }
  for (int i = 0; i != 60; ++i) {
    const pid_t child = in_child([&] {
      // Whatever is mapped in the child is so in the record, and can be replaced.
      const VirtAddr area = machine.vmalloc_start();
      machine.unmap(area, kThreads * 1000);
      if (!machine.map(area, Pfn{5000}, 60, MapAccess::kReadWrite)) return false;
      area.as<char>()[0] = 'c';
      return direct(machine, 5000 * kPage)[0] == 'c';
    });
    ASSERT_EQ(wait_for(child), 0);
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(direct(machine, 5000 * kPage)[0], 0);
}

TEST(Fork, ARawCloneHasNoArena) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 16 * kMiB}));
  ASSERT_TRUE(machine.map(machine.vmalloc_start(), Pfn{9}, 1, MapAccess::kReadWrite));
  volatile char* const view[] = {direct(machine, 9 * kPage), machine.vmalloc_start().as<char>()};
  for (volatile char* page : view) {
    *page = 'p';
    const long child = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (child == 0) {
      signal(SIGSEGV, SIG_DFL);
      *page = 'c';
      _exit(0);
    }
    const int status = wait_for(static_cast<pid_t>(child));
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
    EXPECT_EQ(*page, 'p');
  }
}

TEST(Fork, SpawnAndVforkAreAsWithoutTheLibrary) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 16 * kMiB}));
  struct Count {
    int calls = 0;
  } count;
  machine.set_fork_hooks(
      {.before = [](void* context) { ++static_cast<Count*>(context)->calls; }, .context = &count});
  char name[] = "true";
  char* const arguments[] = {name, nullptr};
  pid_t child = 0;
  ASSERT_EQ(posix_spawnp(&child, name, nullptr, nullptr, arguments, environ), 0);
  EXPECT_EQ(wait_for(child), 0);
  child = vfork();
  if (child == 0) {
    execvp(name, arguments);
    _exit(127);
  }
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(count.calls, 0);
  direct(machine, 0)[0] = 1;
}

// A limit of file sizes refuses the copy; it stops nobody but the child that needs it.
TEST(Fork, ALimitOfFileSizesStopsNobody) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 16 * kMiB}));
  direct(machine, 9 * kPage)[0] = 'p';
  const pid_t child = in_child([] {
    const rlimit limit = {.rlim_cur = kMiB, .rlim_max = kMiB};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    HostedPlatform another;
    if (another.open({.ram_bytes = 16 * kMiB})) return false;
    if (std::strstr(another.error(), "memory file") == nullptr) return false;
    return wait_for(in_child([] { return true; })) == 0;
  });
  EXPECT_EQ(wait_for(child), 0);
}

// A child that cannot have a copy says so, and faults where it uses the memory.
TEST(Fork, WithoutACopyTheChildStopsAtItsFirstUse) {
  HostedPlatform machine;
  ASSERT_TRUE(machine.open({.ram_bytes = 16 * kMiB}));
  char* const page = direct(machine, 9 * kPage);
  page[0] = 'p';
  const pid_t child = in_child([&] {
    int report[2];
    if (pipe(report) != 0 || dup2(report[1], STDERR_FILENO) < 0) return false;
    close_range(500, ~0U, 0);  // the memory file is one of them
    const pid_t grandchild = in_child([&] {
      signal(SIGSEGV, SIG_DFL);
      page[0] = 'g';
      return true;
    });
    const int status = wait_for(grandchild);
    char text[200] = {};
    if (read(report[0], text, sizeof(text) - 1) <= 0) return false;
    return std::strstr(text, "no copy of memory for the child") != nullptr && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGSEGV && page[0] == 'p';
  });
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(page[0], 'p');
}

}  // namespace
}  // namespace quarry
