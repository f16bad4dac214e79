// SPDX-License-Identifier: MIT
#include "planted_bugs.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <regex>

#include "measured_machine.h"
#include "tool_error.h"

namespace quarry::tool {
namespace {

constexpr uint64_t kRamBytes = 64 * kMiB;
constexpr size_t kObjectBytes = 64;
constexpr unsigned kMostSeconds = 10;
constexpr const char* kNothing = "nothing";
constexpr const char* kHangs = "hangs";
constexpr std::string_view kDies = "dies: ";

struct Scene {
  MemorySystem& system;
  KmemCache* cache;
  KmemCache* other;

  unsigned char* take() const {
    return static_cast<unsigned char*>(system.cache_alloc(cache, gfp::kKernel));
  }
  void give(void* object) const { system.cache_free(cache, object); }
};

void free_twice(const Scene& s) {
  void* object = s.take();
  s.give(object);
  s.give(object);
}

void free_twice_with_others_between(const Scene& s) {
  void* object = s.take();
  void* other = s.take();
  s.give(object);
  s.give(other);
  s.give(object);
}

void write_past_the_end(const Scene& s) {
  unsigned char* object = s.take();
  volatile unsigned char* past = object + kObjectBytes;
  *past = 1;
  s.give(object);
}

void write_before_the_start(const Scene& s) {
  unsigned char* object = s.take();
  volatile unsigned char* before = object - 1;
  *before = 1;
  s.give(object);
}

void write_after_free(const Scene& s) {
  unsigned char* object = s.take();
  s.give(object);
  volatile unsigned char* freed = object + kObjectBytes / 2;
  *freed = 1;
}

void free_in_the_middle(const Scene& s) { s.give(s.take() + 8); }

void free_to_another_cache(const Scene& s) { s.system.cache_free(s.other, s.take()); }

void never_free(const Scene& s) { static_cast<void>(s.take()); }

struct Bug {
  const char* name;
  const char* label;
  void (*make)(const Scene& scene);
};

constexpr std::array kBugs = {
    Bug{"double_free", "freed twice in a row", free_twice},
    Bug{"late_double_free", "freed twice, another between", free_twice_with_others_between},
    Bug{"overrun", "byte behind the object written", write_past_the_end},
    Bug{"underrun", "byte before the object written", write_before_the_start},
    Bug{"use_after_free", "written after it was freed", write_after_free},
    Bug{"interior_free", "freed by an address inside", free_in_the_middle},
    Bug{"wrong_cache", "freed to another cache", free_to_another_cache},
    Bug{"leak", "not freed when its cache goes", never_free},
};

// Whoever looks at objects when they are taken or given gets a chance to.
void use_memory(const Scene& s) {
  std::array<void*, 300> objects{};
  for (void*& object : objects) object = s.take();
  for (void* object : objects) s.give(object);
}

void make_mistake(unsigned engine, const Bug& bug, bool debugged) {
  MeasuredMachine machine(kRamBytes, config_of(engine));
  if (!machine.booted()) _exit(1);
  const uint32_t flags = debugged ? QUARRY_SLAB_CONSISTENCY_CHECKS | QUARRY_SLAB_RED_ZONE |
                                        QUARRY_SLAB_POISON | QUARRY_SLAB_STORE_USER
                                  : 0;
  const Scene scene{*machine, machine->cache_create("planted", kObjectBytes, {.flags = flags}),
                    machine->cache_create("another", kObjectBytes, {.flags = flags})};
  bug.make(scene);
  use_memory(scene);
  machine->cache_destroy(scene.cache);
  // The log is all that is wanted; what is broken need not be shut down.
  std::fwrite(machine.log().data(), 1, machine.log().size(), stdout);
  std::fflush(stdout);
  _exit(0);
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = read(file, piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<size_t>(got));
  }
  return text;
}

// What the first report in the log is about, in its words.
std::string first_report(std::string_view log) {
  while (!log.empty()) {
    const std::string_view line = log.substr(0, log.find('\n'));
    log.remove_prefix(std::min(log.size(), line.size() + 1));
    // "BUG planted (Not tainted): Object already free"
    if (line.starts_with("BUG ")) {
      const size_t colon = line.find("): ");
      return std::string(colon == line.npos ? line : line.substr(colon + 3));
    }
    // The words of a warning are on the line below.
    if (line.starts_with("WARNING: ")) return std::string(log.substr(0, log.find('\n')));
    const bool frame = line.empty() || line.starts_with("---") || line.starts_with("===");
    if (!frame) return std::string(line);
  }
  return kNothing;
}

// What was noticed, without who noticed it, where, and at which address.
std::string shorten(std::string text) {
  if (text.find("check failed: ") != text.npos) return "check failed";
  if (text.starts_with("Slab corruption")) return "Slab corruption";
  for (const char* rest : {". ", ", ", " when called from", " on __kmem"}) {
    if (const size_t at = text.find(rest); at != text.npos) text.resize(at);
  }
  text = std::regex_replace(text, std::regex("0x[0-9a-f]+ ?"), "");
  if (const size_t colon = text.rfind(": "); colon != text.npos) text.erase(0, colon + 2);
  return text;
}

std::string reaction(unsigned engine, const Bug& bug, bool debugged) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw ToolError("no pipe to a process that makes mistakes");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) throw ToolError("no process to make mistakes in");
  if (child == 0) {
    alarm(kMostSeconds);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    make_mistake(engine, bug, debugged);
  }
  close(ends[1]);
  const std::string log = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  std::string words = shorten(first_report(log));
  if (!WIFSIGNALED(status)) return words;
  if (WTERMSIG(status) == SIGALRM) return kHangs;
  if (words != kNothing) return words + ", and stops";
  return fmt::format("{}{}", kDies, strsignal(WTERMSIG(status)));
}

bool is_report(const std::string& reaction) {
  return reaction != kNothing && reaction != kHangs && !reaction.starts_with(kDies);
}

}  // namespace

bool PlantedBug::noticed() const { return is_report(as_it_is); }
bool PlantedBug::noticed_debugged() const { return is_report(debugged); }

std::vector<PlantedBug> plant_bugs(unsigned engine) {
  std::vector<PlantedBug> results;
  results.reserve(kBugs.size());
  for (const Bug& bug : kBugs) {
    results.push_back(
        {bug.name, bug.label, reaction(engine, bug, false), reaction(engine, bug, true)});
  }
  return results;
}

}  // namespace quarry::tool
