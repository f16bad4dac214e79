// SPDX-License-Identifier: MIT
#include "boot_options.h"

#include "fault_files.h"

namespace quarry {
namespace {

constexpr unsigned kQuietLoglevel = 4;
constexpr unsigned kDebugLoglevel = 10;

// Where numa=fake=SIZE, which needs the final RAM, is remembered until all parameters are read.
struct Reading {
  BootOptions& options;
  uint64_t node_bytes = 0;
};

// Null, or what is wrong with the value.
using Reader = const char* (*)(Reading&, std::string_view value);

const char* read_memory(Reading& reading, std::string_view value) {
  return parse_bytes(value, reading.options.machine.ram_bytes) ? nullptr : "not a size";
}

const char* read_cpus(Reading& reading, std::string_view value) {
  uint64_t cpus = 0;
  if (!parse_number(value, cpus) || cpus == 0) return "not a number of CPUs";
  if (cpus > MachineOptions::kMostCpus) return "more than 1024 CPUs";
  reading.options.machine.cpus = static_cast<unsigned>(cpus);
  return nullptr;
}

const char* read_nosmp(Reading& reading, std::string_view) {
  reading.options.machine.cpus = 1;
  return nullptr;
}

const char* read_numa(Reading& reading, std::string_view value) {
  constexpr const char* kWrong = "neither fake=N, fake=SIZE nor off";
  if (value == "off") {
    reading.options.machine.nodes = 1;
    return nullptr;
  }
  if (take_field(value, '=') != "fake") return kWrong;
  uint64_t nodes = 0;
  if (!parse_number(value, nodes)) {
    return parse_bytes(value, reading.node_bytes) && reading.node_bytes != 0 ? nullptr : kWrong;
  }
  if (nodes < 1 || nodes > MachineOptions::kMostNodes) return "not 1 to 32 nodes";
  reading.options.machine.nodes = static_cast<unsigned>(nodes);
  return nullptr;
}

const char* read_engine(Reading& reading, std::string_view value) {
  char name[16] = {};
  if (value.size() >= sizeof(name)) return "no such slab engine";
  __builtin_memcpy(name, value.data(), value.size());
  return find_slab_engine(name, reading.options.system.engine) ? nullptr : "no such slab engine";
}

// As Linux: the largest there is for anything above.
const char* read_max_order(Order& order, std::string_view value) {
  uint64_t number = 0;
  if (!parse_number(value, number)) return "not an order";
  order = number < kMaxOrder.value() ? Order(static_cast<uint8_t>(number)) : kMaxOrder;
  return nullptr;
}

const char* read_slab_max_order(Reading& reading, std::string_view value) {
  Order order{0};
  const char* const wrong = read_max_order(order, value);
  if (wrong == nullptr) reading.options.system.slab_max_order = order.value();
  return wrong;
}

const char* read_slub_max_order(Reading& reading, std::string_view value) {
  return read_max_order(reading.options.system.slub_max_order, value);
}

const char* read_no_alien_cache(Reading& reading, std::string_view) {
  reading.options.system.no_alien_cache = true;
  return nullptr;
}

const char* read_no_merge(Reading& reading, std::string_view) {
  reading.options.system.merge_caches = false;
  return nullptr;
}

const char* read_merge(Reading& reading, std::string_view) {
  reading.options.system.merge_caches = true;
  return nullptr;
}

const char* read_init_on_alloc(Reading& reading, std::string_view value) {
  return parse_bool(value, reading.options.system.init_on_alloc) ? nullptr : "neither 0 nor 1";
}

const char* read_init_on_free(Reading& reading, std::string_view value) {
  return parse_bool(value, reading.options.system.init_on_free) ? nullptr : "neither 0 nor 1";
}

const char* read_seed(Reading& reading, std::string_view value) {
  return parse_number(value, reading.options.system.seed) ? nullptr : "not a number";
}

const char* read_fault(FaultParameters& fault, std::string_view value) {
  constexpr const char* kWrong = "not interval,probability,space,times";
  uint64_t number[3];
  for (uint64_t& n : number) {
    if (!parse_number(take_field(value, ','), n)) return kWrong;
  }
  int64_t times = 0;
  if (!parse_signed(value, times) || times < -1) return kWrong;
  if (number[0] < 1 || number[0] > UINT32_MAX) return "the interval is not a positive number";
  if (number[1] > 100) return "the probability is above 100";
  fault.interval = static_cast<uint32_t>(number[0]);
  fault.probability = static_cast<uint32_t>(number[1]);
  fault.space = number[2];
  fault.times = times;
  return nullptr;
}

const char* read_failslab(Reading& reading, std::string_view value) {
  return read_fault(reading.options.system.failslab, value);
}

const char* read_fail_page_alloc(Reading& reading, std::string_view value) {
  return read_fault(reading.options.system.fail_page_alloc, value);
}

const char* read_slub_debug(Reading& reading, std::string_view value) {
  BootOptions& options = reading.options;
  if (value.size() >= sizeof(options.slub_debug)) return "longer than 511 characters";
  __builtin_memcpy(options.slub_debug, value.data(), value.size());
  options.slub_debug[value.size()] = '\0';
  options.system.slub_debug = options.slub_debug;
  return nullptr;
}

const char* read_slub_min_order(Reading& reading, std::string_view value) {
  uint64_t number = 0;
  if (!parse_number(value, number) || number > kMaxOrder.value())
    return "not an order from 0 to 10";
  reading.options.system.slub_min_order = Order(static_cast<uint8_t>(number));
  return nullptr;
}

const char* read_slub_min_objects(Reading& reading, std::string_view value) {
  uint64_t number = 0;
  if (!parse_number(value, number) || number > UINT16_MAX) return "not a number of objects";
  reading.options.system.slub_min_objects = static_cast<uint32_t>(number);
  return nullptr;
}

const char* read_slub_hardened(Reading& reading, std::string_view value) {
  return parse_bool(value, reading.options.system.slub_hardened) ? nullptr : "neither Y nor N";
}

const char* read_slub_random(Reading& reading, std::string_view value) {
  return parse_bool(value, reading.options.system.slub_random) ? nullptr : "neither Y nor N";
}

// failslab.ATTRIBUTE=VALUE and fail_page_alloc.ATTRIBUTE=VALUE. Null: it is no such parameter.
const FaultFile* find_attribute(std::string_view name, Config& config, FaultParameters*& of) {
  FaultKind kind{};
  if (!take_fault_kind(name, '.', kind)) return nullptr;
  of = kind == FaultKind::kSlab ? &config.failslab : &config.fail_page_alloc;
  return find_fault_file(kind, name);
}

const char* read_loglevel(Reading& reading, std::string_view value) {
  uint64_t level = 0;
  if (!parse_number(value, level) || level > kDebugLoglevel) return "not a level from 0 to 10";
  reading.options.console_loglevel = static_cast<int>(level);
  return nullptr;
}

const char* read_quiet(Reading& reading, std::string_view) {
  reading.options.console_loglevel = kQuietLoglevel;
  return nullptr;
}

const char* read_debug(Reading& reading, std::string_view) {
  reading.options.console_loglevel = kDebugLoglevel;
  return nullptr;
}

struct KnownParameter {
  std::string_view name;
  bool needs_value;
  Reader read;
};

constexpr KnownParameter kKnown[] = {
    {"mem", true, read_memory},
    {"numa", true, read_numa},
    {"nr_cpus", true, read_cpus},
    {"maxcpus", true, read_cpus},
    {"possible_cpus", true, read_cpus},
    {"nosmp", false, read_nosmp},
    {"slab_engine", true, read_engine},
    {"slab_max_order", true, read_slab_max_order},
    {"noaliencache", false, read_no_alien_cache},
    {"slab_nomerge", false, read_no_merge},
    {"slub_nomerge", false, read_no_merge},
    {"slab_merge", false, read_merge},
    {"slub_merge", false, read_merge},
    {"init_on_alloc", true, read_init_on_alloc},
    {"init_on_free", true, read_init_on_free},
    {"failslab", true, read_failslab},
    {"slub_min_order", true, read_slub_min_order},
    {"slub_max_order", true, read_slub_max_order},
    {"slub_min_objects", true, read_slub_min_objects},
    {"quarry.slub_hardened", true, read_slub_hardened},
    {"quarry.slub_random", true, read_slub_random},
    {"slub_debug", false, read_slub_debug},
    {"slab_debug", false, read_slub_debug},
    {"fail_page_alloc", true, read_fail_page_alloc},
    {"quarry.seed", true, read_seed},
    {"loglevel", true, read_loglevel},
    {"quiet", false, read_quiet},
    {"debug", false, read_debug},
};

const KnownParameter* find(std::string_view name) {
  for (const KnownParameter& known : kKnown) {
    if (same_name(known.name, name)) return &known;
  }
  return nullptr;
}

// False: nobody here knows the parameter. `wrong`: why the value is impossible.
bool read_parameter(Reading& reading, const Parameter& parameter, const char*& wrong) {
  FaultParameters* fault = nullptr;
  const FaultFile* const attribute = find_attribute(parameter.name, reading.options.system, fault);
  const KnownParameter* const known = find(parameter.name);
  if (attribute == nullptr && known == nullptr) return false;
  if (!parameter.has_value && (known == nullptr || known->needs_value)) {
    wrong = "needs a value";
  } else {
    wrong = known != nullptr ? known->read(reading, parameter.value)
                             : attribute->write(*fault, parameter.value);
  }
  return true;
}

// One with a dot, unless the first part is a name that this system uses itself.
bool may_be_a_modules(std::string_view name) {
  const std::string_view module = take_field(name, '.');
  return !name.empty() && !same_name(module, "quarry") && !same_name(module, "failslab") &&
         !same_name(module, "fail_page_alloc");
}

void complain(TextSink& complaint, const char* name, std::string_view about, const char* wrong) {
  format(complaint, "%s: ", name);
  complaint.write(about.data(), about.size());
  format(complaint, ": %s\n", wrong);
}

// As many nodes of that size as there is RAM for.
const char* divide_into_nodes(MachineOptions& machine, uint64_t node_bytes) {
  unsigned nodes = 0;
  for (uint64_t left = machine.ram_bytes; left >= node_bytes; left -= node_bytes) {
    if (++nodes > MachineOptions::kMostNodes) return "that makes more than 32 nodes";
  }
  machine.nodes = nodes == 0 ? 1 : nodes;
  return nullptr;
}

}  // namespace

void report_unknown(TextSink& out, const char* unknown) {
  if (unknown[0] == '\0') return;
  // Behind the space that is before the first.
  format(out, "Unknown kernel command line parameters \"%s\", ignored.\n", unknown + 1);
}

bool read_boot_options(const char* name, std::string_view command_line,
                       bool (*is_of_program)(std::string_view name), BootOptions& options,
                       TextSink& unknown, TextSink& complaint) {
  Reading reading{.options = options};
  Parameter parameter;
  while (next_parameter(command_line, parameter)) {
    if (is_of_program != nullptr && is_of_program(parameter.name)) continue;
    const char* wrong = nullptr;
    if (!read_parameter(reading, parameter, wrong)) {
      if (may_be_a_modules(parameter.name)) continue;
      format(unknown, " ");
      unknown.write(parameter.word.data(), parameter.word.size());
    } else if (wrong != nullptr) {
      complain(complaint, name, parameter.word, wrong);
      return false;
    }
  }
  if (reading.node_bytes == 0) return true;
  const char* const wrong = divide_into_nodes(options.machine, reading.node_bytes);
  if (wrong != nullptr) complain(complaint, name, "numa=fake=SIZE", wrong);
  return wrong == nullptr;
}

}  // namespace quarry
