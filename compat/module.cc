// SPDX-License-Identifier: MIT

// Modules of a program: their parameters, init and exit functions.

#include <linux/module.h>
#include <string.h>

#include "command_line.h"
#include "quarry/text_sink.h"
#include "world.h"

namespace quarry {
namespace {

using ModuleName = FixedText<64>;

// All three are written by constructors and at exit, when there is one thread.
constinit quarry_module_exit* known_exits = nullptr;
constinit quarry_module_exit* exits_to_run = nullptr;  // latest loaded first
constinit quarry_module_param* known_params = nullptr;

// The file's name without folder and suffix, '_' for '-'.
void name_of_file(const char* file, ModuleName& name) {
  const char* const slash = strrchr(file, '/');
  const char* const base = slash != nullptr ? slash + 1 : file;
  const char* const dot = strrchr(base, '.');
  const size_t length = dot != nullptr ? static_cast<size_t>(dot - base) : strlen(base);
  for (size_t i = 0; i != length; ++i) name.write(base[i] == '-' ? "_" : base + i, 1);
}

template <typename T>
bool set_signed(void* variable, int64_t number) {
  const T value = static_cast<T>(number);
  if (value != number) return false;
  *static_cast<T*>(variable) = value;
  return true;
}

template <typename T>
bool set_unsigned(void* variable, uint64_t number) {
  const T value = static_cast<T>(number);
  if (value != number) return false;
  *static_cast<T*>(variable) = value;
  return true;
}

bool set_text(void* variable, std::string_view value) {
  char* const copy = static_cast<char*>(allocate_for_ever(value.size() + 1));
  if (copy == nullptr) return false;
  memcpy(copy, value.data(), value.size());
  copy[value.size()] = '\0';
  *static_cast<char**>(variable) = copy;
  return true;
}

bool set_number(const quarry_module_param& param, std::string_view value) {
  const std::string_view type = param.type;
  int64_t number = 0;
  uint64_t magnitude = 0;
  if (type == "short" || type == "int" || type == "long") {
    if (!parse_signed(value, number)) return false;
    if (type == "short") return set_signed<short>(param.variable, number);
    if (type == "int") return set_signed<int>(param.variable, number);
    return set_signed<long>(param.variable, number);
  }
  if (!parse_number(value, magnitude)) return false;
  if (type == "byte") return set_unsigned<unsigned char>(param.variable, magnitude);
  if (type == "ushort") return set_unsigned<unsigned short>(param.variable, magnitude);
  if (type == "uint") return set_unsigned<unsigned int>(param.variable, magnitude);
  return type == "ulong" && set_unsigned<unsigned long>(param.variable, magnitude);
}

bool set_param(const quarry_module_param& param, const Parameter& given) {
  const std::string_view type = param.type;
  if (type == "charp") return given.has_value && set_text(param.variable, given.value);
  // In C the word is a macro.
  if (type == "bool" || type == "_Bool") {
    auto* const flag = static_cast<bool*>(param.variable);
    *flag = *flag || !given.has_value;
    return !given.has_value || parse_bool(given.value, *flag);
  }
  return given.has_value && set_number(param, given.value);
}

quarry_module_param* find_param(const char* file, std::string_view name) {
  for (quarry_module_param* param = known_params; param != nullptr; param = param->next) {
    if (strcmp(param->file, file) == 0 && same_name(param->name, name)) return param;
  }
  return nullptr;
}

// False, after a report: a value does not fit its parameter.
bool set_params(const char* file, const char* module) {
  std::string_view rest = command_line();
  Parameter given;
  while (next_parameter(rest, given)) {
    std::string_view name = given.name;
    if (!same_name(take_field(name, '.'), module)) continue;
    const quarry_module_param* const param = find_param(file, name);
    if (param == nullptr) {
      printk(KERN_WARNING "%s: unknown parameter '%.*s' ignored\n", module,
             static_cast<int>(name.size()), name.data());
    } else if (!set_param(*param, given)) {
      printk(KERN_ERR "%s: `%.*s' invalid for parameter `%s'\n", module,
             static_cast<int>(given.value.size()), given.value.data(), param->name);
      return false;
    }
  }
  return true;
}

void run_exits() {
  while (exits_to_run != nullptr) {
    quarry_module_exit* const module = exits_to_run;
    exits_to_run = module->next;
    module->exit();
  }
}

void arrange_exit(const char* file) {
  quarry_module_exit** link = &known_exits;
  while (*link != nullptr && strcmp((*link)->file, file) != 0) link = &(*link)->next;
  quarry_module_exit* const module = *link;
  if (module == nullptr) return;
  *link = module->next;
  if (exits_to_run == nullptr) call_at_exit(run_exits);
  module->next = exits_to_run;
  exits_to_run = module;
}

}  // namespace

extern "C" {

void quarry_module_add_exit(struct quarry_module_exit* module) {
  module->next = known_exits;
  known_exits = module;
}

void quarry_module_add_param(struct quarry_module_param* param) {
  param->next = known_params;
  known_params = param;
}

void quarry_module_load(const char* file, const char* name, initcall_t init) {
  ModuleName from_file;
  name_of_file(file, from_file);
  const char* const module = name != nullptr ? name : from_file.c_str();
  if (!set_params(file, module)) return;
  const int result = init();
  if (result != 0) {
    printk(KERN_ERR "%s: module init failed: %d (%s)\n", module, result, error_text(-result));
    return;
  }
  arrange_exit(file);
}

}  // extern "C"

}  // namespace quarry
