// SPDX-License-Identifier: MIT

// A program such as slabtop opens its file once and reads it again and again from the beginning.
// So a file stays the same file: only what has changed is written, in its place.

#include "proc_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "default_system.h"
#include "world.h"

namespace quarry {
namespace {

constexpr long kPauseNs = 200'000'000;

// Text in the host's memory, as long as it has any.
class HostText final : public TextSink {
 public:
  void write(const char* text, size_t length) override {
    if (length > room_ - length_ && !grow(length)) return;
    memcpy(text_ + length_, text, length);
    length_ += length;
  }
  void clear() { length_ = 0; }
  // False: something of the text is missing.
  bool whole() const { return whole_; }
  const char* text() const { return text_; }
  size_t length() const { return length_; }

 private:
  bool grow(size_t length) {
    const size_t wanted = 2 * room_ + length;
    auto* const larger = static_cast<char*>(realloc(text_, wanted));
    whole_ = whole_ && larger != nullptr;
    if (larger == nullptr) return false;
    text_ = larger;
    room_ = wanted;
    return true;
  }

  char* text_ = nullptr;
  size_t room_ = 0;
  size_t length_ = 0;
  bool whole_ = true;
};

class ProcFile {
 public:
  bool open(int folder, const char* name) {
    name_ = name;
    file_ = openat(folder, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    return file_ >= 0;
  }

  void refresh() {
    HostText& now = text_[turn_];
    HostText& before = text_[1 - turn_];
    now.clear();
    default_system.proc_text(name_, now);
    if (!now.whole()) return;
    if (replace(before, now)) {
      turn_ = 1 - turn_;
    } else {
      before.clear();  // all of it is written at the next turn
    }
  }

 private:
  bool replace(const HostText& before, const HostText& now) const {
    const size_t common = now.length() < before.length() ? now.length() : before.length();
    size_t same = 0;
    while (same != common && now.text()[same] == before.text()[same]) ++same;
    const size_t changed = now.length() - same;
    if (changed != 0 && pwrite(file_, now.text() + same, changed, static_cast<off_t>(same)) !=
                            static_cast<ssize_t>(changed)) {
      return false;
    }
    return now.length() >= before.length() ||
           ftruncate(file_, static_cast<off_t>(now.length())) == 0;
  }

  const char* name_ = nullptr;
  int file_ = -1;
  HostText text_[2];  // what is in the file, and what is to be there
  int turn_ = 0;
};

constexpr size_t kMostFiles = 8;

constinit ProcFile files[kMostFiles];
constinit size_t file_count = 0;
constinit pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;  // one refreshes at a time
constinit pid_t owner = 0;

void refresh() {
  pthread_mutex_lock(&turn_lock);
  for (size_t i = 0; i != file_count; ++i) files[i].refresh();
  pthread_mutex_unlock(&turn_lock);
}

// A forked child leaves its parent's files alone.
void refresh_at_exit() {
  if (getpid() == owner) refresh();
}

void* refresh_for_ever(void*) {
  for (;;) {
    const timespec pause = {.tv_sec = 0, .tv_nsec = kPauseNs};
    nanosleep(&pause, nullptr);
    refresh();
  }
}

// Its thread takes no signal, because a program's handlers are its interrupts.
bool start_thread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  const bool started = pthread_create(&thread, nullptr, refresh_for_ever, nullptr) == 0;
  if (started) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

bool open_files(int folder, const char*& name) {
  for (const char* each : MemorySystem::proc_names()) {
    name = each;
    if (file_count == kMostFiles || !files[file_count].open(folder, each)) return false;
    ++file_count;
  }
  return true;
}

}  // namespace

bool keep_proc_files(const char* folder, TextSink& complaint) {
  const char* name = "";
  mkdir(folder, 0755);  // or it is there
  const int place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (place < 0 || !open_files(place, name) || !start_thread()) {
    format(complaint, "QUARRY_CMDLINE: quarry.proc=%s: %s%s%s\n", folder, name,
           name[0] == '\0' ? "" : ": ", static_cast<const char*>(strerror(errno)));
    return false;
  }
  close(place);
  owner = getpid();
  refresh();
  call_at_exit(refresh_at_exit);
  return true;
}

}  // namespace quarry
