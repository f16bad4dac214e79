// SPDX-License-Identifier: MIT
#include "simulated_machine.h"

#include <fmt/format.h>
#include <quarry/hosted_platform.h>
#include "replay/system_target.h"

#include <algorithm>
#include <utility>

#include "tool_error.h"

namespace quarry::tool {
namespace {

// What the kernel's text goes to.
class StringSink final : public TextSink {
 public:
  void write(const char* text, size_t length) override { text_.append(text, length); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

class SimulatedMachine final : public ReplayMachine {
 public:
  explicit SimulatedMachine(const MachineSpec& spec) {
    Config config;
    config.seed = spec.seed;
    config.steps_by_caller = true;
    config.merge_caches = false;  // the recorded kernel has done so
    if (!find_slab_engine(spec.engine.c_str(), config.engine)) {
      throw ToolError(fmt::format("there is no engine '{}'", spec.engine));
    }
    const bool open = platform_.open({.ram_bytes = spec.ram_bytes,
                                      .nodes = spec.nodes,
                                      .cpus = spec.cpus,
                                      .simulated = true,
                                      .memory_map = spec.memory_map,
                                      .log = add_to_report,
                                      .log_context = this});
    if (!open) throw ToolError(fmt::format("{}: {}", describe(spec), platform_.error()));
    if (!system_.boot(platform_, config)) {
      throw ToolError(fmt::format("{}: no such machine starts: {}", describe(spec), report_));
    }
    populate(spec);
  }

  ~SimulatedMachine() override {
    target_.rest();
    // What is live at a trace's end is no leak worth a report.
    muted_ = true;
    if (system_.booted()) system_.shutdown();
  }

  replay::Target& target() override { return target_; }

  std::vector<CacheState> caches() const override {
    std::vector<CacheState> states;
    system_.for_each_cache(
        [](void* context, const CacheInfo& info) {
          auto& list = *static_cast<std::vector<CacheState>*>(context);
          list.push_back({info.number, info.name, info});
          list.back().info.name = nullptr;
        },
        &states);
    return states;
  }

  std::map<std::string, std::string> proc_texts() const override {
    std::map<std::string, std::string> texts;
    for (const char* name : MemorySystem::proc_names()) {
      StringSink text;
      system_.proc_text(name, text);
      texts[name] = text.take();
    }
    return texts;
  }

  std::string validate() const override {
    StringSink text;
    return system_.validate(text) ? "ok" : text.take();
  }

  std::string report() const override { return report_; }

 private:
  // Zones of the highest type are used first, from their start.
  void populate(const MachineSpec& spec) {
    if (spec.expected_bytes == 0) return;
    static constexpr PhysAddr kAboveDma32{uint64_t{4} << 30};
    const auto ranges = platform_.memory_ranges();
    const bool has_normal = std::ranges::any_of(ranges, [](const MemoryRange& range) {
      return range.start.value() + range.bytes > kAboveDma32.value();
    });
    for (const MemoryRange& range : ranges) {
      platform_.populate(has_normal ? std::max(range.start, kAboveDma32) : range.start,
                         spec.expected_bytes / spec.nodes);
    }
  }

  static void go_to(void* platform, CpuId cpu) {
    static_cast<HostedPlatform*>(platform)->set_current_cpu(cpu);
  }

  static void add_to_report(void* context, const char* text, size_t length) {
    constexpr size_t kEnough = size_t{64} << 10;
    auto& machine = *static_cast<SimulatedMachine*>(context);
    if (!machine.muted_ && machine.report_.size() < kEnough) machine.report_.append(text, length);
  }

  std::string report_;
  bool muted_ = false;
  HostedPlatform platform_;
  MemorySystem system_;
  replay::SystemTarget target_{system_, {.go_to = go_to, .context = &platform_}};
};

}  // namespace

std::unique_ptr<ReplayMachine> make_simulated_machine(const MachineSpec& spec) {
  return std::make_unique<SimulatedMachine>(spec);
}

}  // namespace quarry::tool
