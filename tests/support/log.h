// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

#include "quarry/text_sink.h"
#include "quarry/units.h"

namespace harness {

// Where `wanted` first stands in `text`; null: nowhere.
inline const char* find_text(const char* text, const char* wanted) {
  for (;; ++text) {
    size_t same = 0;
    while (wanted[same] != '\0' && text[same] == wanted[same]) ++same;
    if (wanted[same] == '\0') return text;
    if (*text == '\0') return nullptr;
  }
}

// What a machine logged. Any thread may write.
class Log {
 public:
  static constexpr size_t kBytes = 64 * quarry::kKiB;

  static void write(void* log, const char* text, size_t length) {
    Log& self = *static_cast<Log*>(log);
    while (self.busy_.exchange(true, std::memory_order_acquire)) {
    }
    self.text_.write(text, length);
    self.busy_.store(false, std::memory_order_release);
  }

  [[nodiscard]] const char* text() const { return text_.c_str(); }
  [[nodiscard]] size_t size() const { return text_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] size_t count(const char* wanted) const {
    size_t found = 0;
    for (const char* at = text(); (at = find_text(at, wanted)) != nullptr; ++at) ++found;
    return found;
  }
  void clear() { text_.clear(); }

 private:
  quarry::FixedText<kBytes> text_;
  std::atomic<bool> busy_{false};
};

}  // namespace harness
