// SPDX-License-Identifier: MIT

// snprintf and vsnprintf of C, as far as a kernel's messages need them: no floating point.

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "quarry/text_sink.h"

namespace quarry {
namespace {

// Writes what fits, counts all.
class Buffer final : public TextSink {
 public:
  Buffer(char* text, size_t room) : text_(text), room_(room) {}

  void write(const char* text, size_t length) override {
    for (size_t i = 0; i != length; ++i, ++length_) {
      if (length_ + 1 < room_) text_[length_] = text[i];
    }
  }
  // Ends the text; its length if there were room.
  int finish() {
    if (room_ != 0) text_[length_ < room_ ? length_ : room_ - 1] = '\0';
    return static_cast<int>(length_);
  }

 private:
  char* text_;
  size_t room_;
  size_t length_ = 0;
};

// A conversion on its way from `args` to format_args(), which knows flags and width but neither '*'
// nor a precision nor the sizes of C's arguments.
class Conversion {
 public:
  Conversion(const char*& at, va_list& args) : args_(args) {
    while (*at == '-' || *at == '0' || *at == '#') add(*at++);
    read_number(at, [this](char digit) { add(digit); });
    if (*at == '.') {
      precision_ = 0;
      ++at;
      read_number(at, [this](char digit) { precision_ = 10 * precision_ + (digit - '0'); });
    }
    for (; *at == 'l' || *at == 'z' || *at == 't' || *at == 'j' || *at == 'h'; ++at) {
      if (*at != 'h') bytes_ = *at == 'j' || bytes_ > sizeof(int) ? 8 : sizeof(long);
      if (*at == 'l' && at[1] == 'l') bytes_ = 8;
    }
    letter_ = *at;
    if (letter_ != '\0') ++at;
  }

  void write(TextSink& out) {
    switch (letter_) {
      case 's':
        return write_text(out, va_arg(args_, const char*));
      case 'p':
        return write_argument(out, 'p', Arg(va_arg(args_, void*)));
      case 'c':
        return write_argument(out, 'c', Arg(va_arg(args_, int)));
      case 'd':
      case 'i':
        return write_argument(
            out, 'd', bytes_ == 8 ? Arg(va_arg(args_, long long)) : Arg(va_arg(args_, int)));
      case 'u':
      case 'x':
        return write_argument(
            out, letter_,
            bytes_ == 8 ? Arg(va_arg(args_, unsigned long long)) : Arg(va_arg(args_, unsigned)));
      default:
        return out.write(&letter_, letter_ != '\0' ? 1 : 0);
    }
  }

 private:
  static constexpr size_t kMostPattern = 24;

  // Digits, or those of an argument for '*'.
  template <class Digit>
  void read_number(const char*& at, Digit&& digit) {
    if (*at == '*') {
      ++at;
      FixedText<16> number;
      format(number, "%d", va_arg(args_, int));
      for (const char* c = number.c_str(); *c != '\0'; ++c) digit(*c);
    }
    while (*at >= '0' && *at <= '9') digit(*at++);
  }

  void add(char c) {
    if (length_ < kMostPattern - 3) pattern_[length_++] = c;
  }

  void write_argument(TextSink& out, char letter, const Arg& argument) {
    pattern_[length_] = letter;
    pattern_[length_ + 1] = '\0';
    format_args(out, pattern_, std::span(&argument, 1));
  }

  void write_text(TextSink& out, const char* text) {
    FixedText<1024> cut;
    if (text != nullptr && precision_ >= 0) {
      cut.write(text, strnlen(text, static_cast<size_t>(precision_)));
      text = cut.c_str();
    }
    write_argument(out, 's', Arg(text));
  }

  va_list& args_;
  char pattern_[kMostPattern] = {'%'};
  size_t length_ = 1;
  int precision_ = -1;
  size_t bytes_ = sizeof(int);
  char letter_ = '\0';
};

}  // namespace
}  // namespace quarry

extern "C" {

int vsnprintf(char* text, size_t room, const char* pattern, va_list args) {
  quarry::Buffer out(text, room);
  va_list rest;
  va_copy(rest, args);
  while (*pattern != '\0') {
    const size_t plain = strcspn(pattern, "%");
    out.write(pattern, plain);
    pattern += plain;
    if (*pattern == '%') quarry::Conversion(++pattern, rest).write(out);
  }
  va_end(rest);
  return out.finish();
}

int snprintf(char* text, size_t room, const char* pattern, ...) {
  va_list args;
  va_start(args, pattern);
  const int length = vsnprintf(text, room, pattern, args);
  va_end(args);
  return length;
}

}  // extern "C"
