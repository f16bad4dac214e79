// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <signal.h>

#include "host_cpus.h"
#include "machine.h"
#include "report.h"

// fork() of the C library: on the thread that forks, each system stops changing, each arena is
// copied, and after the fork the child takes the copy. Signals wait meanwhile: a handler that
// allocates would wait for locks that its own thread holds.

namespace quarry {
namespace {

struct MachineList {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  HostedMachine* first = nullptr;  // guarded by lock
  bool follows_forks = false;      // guarded by lock
  sigset_t signals = {};           // of the thread that forks; guarded by lock
};

constinit MachineList list;

void before_fork() {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pthread_mutex_lock(&list.lock);
  list.signals = old;
  for (HostedMachine* machine = list.first; machine != nullptr; machine = machine->next) {
    if (machine->lost) continue;
    const ForkHooks& hooks = machine->fork_hooks;
    if (hooks.before != nullptr) hooks.before(hooks.context);
    machine->arena.begin_fork();
  }
}

void after_fork(bool in_child) {
  for (HostedMachine* machine = list.first; machine != nullptr; machine = machine->next) {
    if (machine->lost) continue;
    if (!in_child) {
      machine->arena.end_fork();
    } else if (!machine->arena.adopt_copy()) {
      machine->lost = true;
      report_text("quarry: fork: no copy of memory for the child, it stops at its first use\n");
      continue;
    }
    const ForkHooks& hooks = machine->fork_hooks;
    if (in_child) {
      machine->background.forget_thread();
      if (hooks.alone != nullptr) hooks.alone(hooks.context);
    }
    if (hooks.after != nullptr) hooks.after(hooks.context);
  }
  const sigset_t old = list.signals;
  pthread_mutex_unlock(&list.lock);
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void after_fork_in_parent() { after_fork(false); }

void after_fork_in_child() {
  register_host_sequences(true);
  after_fork(true);
}

}  // namespace

void enlist_machine(HostedMachine& machine) {
  pthread_mutex_lock(&list.lock);
  if (!list.follows_forks) {
    list.follows_forks =
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
  }
  machine.next = list.first;
  list.first = &machine;
  pthread_mutex_unlock(&list.lock);
}

void delist_machine(HostedMachine& machine) {
  pthread_mutex_lock(&list.lock);
  for (HostedMachine** link = &list.first; *link != nullptr; link = &(*link)->next) {
    if (*link == &machine) {
      *link = machine.next;
      break;
    }
  }
  pthread_mutex_unlock(&list.lock);
}

void set_machine_fork_hooks(HostedMachine& machine, const ForkHooks& hooks) {
  pthread_mutex_lock(&list.lock);
  machine.fork_hooks = hooks;
  pthread_mutex_unlock(&list.lock);
}

}  // namespace quarry
