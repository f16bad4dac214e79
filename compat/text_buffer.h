// SPDX-License-Identifier: MIT
#pragma once

#include "quarry/text_sink.h"

namespace quarry {

// A C caller's buffer, as snprintf treats it: keeps what fits, always NUL-terminated unless it has
// no room at all, and counts everything.
class TextBuffer final : public TextSink {
 public:
  TextBuffer(char* text, size_t size) : text_(text), room_(size == 0 ? 0 : size - 1) {
    if (size != 0) text_[0] = '\0';
  }
  void write(const char* text, size_t length) override {
    if (length_ < room_) {
      const size_t left = room_ - length_;
      const size_t kept = length < left ? length : left;
      __builtin_memcpy(text_ + length_, text, kept);
      text_[length_ + kept] = '\0';
    }
    length_ += length;
  }
  size_t length() const { return length_; }

 private:
  char* text_;
  size_t room_;
  size_t length_ = 0;
};

}  // namespace quarry
