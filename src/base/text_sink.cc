// SPDX-License-Identifier: MIT
#include "base/text_sink.h"

#include "base/bits.h"

namespace quarry {
namespace {

// A number's digits, filled from the right. 2^64 has 20 decimal digits.
class Digits {
 public:
  void put_decimal(uint64_t value) {
    // A word-wide division a digit, and a 64-bit one only for each ninth.
    constexpr uint32_t kChunk = 1'000'000'000;
    while (value >= kChunk) {
      const QuotientU64 split = div_rem_u64(value, kChunk);
      put_chunk(split.remainder, 9);
      value = split.quotient;
    }
    put_chunk(static_cast<uint32_t>(value), 1);
  }

  void put_hexadecimal(uint64_t value, size_t least_digits) {
    for (; value != 0 || least_digits > 0; value >>= 4) {
      put("0123456789abcdef"[value & 0xf]);
      least_digits -= least_digits > 0 ? 1 : 0;
    }
  }

  [[nodiscard]] const char* text() const { return text_ + kCapacity - size_; }
  [[nodiscard]] size_t size() const { return size_; }

 private:
  static constexpr size_t kCapacity = 20;

  void put(char digit) { text_[kCapacity - ++size_] = digit; }

  void put_chunk(uint32_t value, unsigned least_digits) {
    for (; value != 0 || least_digits > 0; value /= 10) {
      put(static_cast<char>('0' + value % 10));
      least_digits -= least_digits > 0 ? 1 : 0;
    }
  }

  size_t size_ = 0;
  char text_[kCapacity];
};

size_t length_of(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') {
    ++length;
  }
  return length;
}

void write_repeated(TextSink& sink, char c, size_t count) {
  for (; count > 0; --count) {
    sink.write(&c, 1);
  }
}

// Zeros stand between the prefix and the body, spaces outside of both.
void write_field(TextSink& sink, const FormatSpec& spec, const char* prefix, const char* body,
                 size_t body_length, bool zeros) {
  const size_t prefix_length = length_of(prefix);
  const size_t length = prefix_length + body_length;
  const size_t padding = spec.width > length ? spec.width - length : 0;
  zeros = zeros && !spec.left;
  write_repeated(sink, ' ', spec.left || zeros ? 0 : padding);
  sink.write(prefix, prefix_length);
  write_repeated(sink, '0', zeros ? padding : 0);
  sink.write(body, body_length);
  write_repeated(sink, ' ', spec.left ? padding : 0);
}

void write_number(TextSink& sink, const FormatSpec& spec, const char* prefix,
                  const Digits& digits) {
  write_field(sink, spec, prefix, digits.text(), digits.size(), spec.zero);
}

void write_signed(TextSink& sink, const FormatSpec& spec, int64_t value) {
  Digits digits;
  const auto bits = static_cast<uint64_t>(value);
  digits.put_decimal(value < 0 ? 0 - bits : bits);
  write_number(sink, spec, value < 0 ? "-" : "", digits);
}

void write_text(TextSink& sink, const FormatSpec& spec, const char* text) {
  const char* const shown = text != nullptr ? text : "(null)";
  write_field(sink, spec, "", shown, length_of(shown), false);
}

void write_argument(TextSink& sink, const FormatSpec& spec, const Arg& arg) {
  Digits digits;
  switch (spec.conversion) {
    case 'd':
      return write_signed(sink, spec, arg.as_signed());
    case 's':
      return write_text(sink, spec, arg.text());
    case 'c': {
      const auto c = static_cast<char>(arg.as_unsigned());
      return write_field(sink, spec, "", &c, 1, false);
    }
    case 'p':
      digits.put_hexadecimal(arg.address(), 2 * sizeof(void*));
      return write_number(sink, spec, "", digits);
    case 'x':
      digits.put_hexadecimal(arg.as_unsigned(), 1);
      return write_number(sink, spec, spec.alternate ? "0x" : "", digits);
    default:
      digits.put_decimal(arg.as_unsigned());
      return write_number(sink, spec, "", digits);
  }
}

}  // namespace

void format_args(TextSink& sink, const char* pattern, std::span<const Arg> args) {
  size_t used = 0;
  while (*pattern != '\0') {
    size_t literal = 0;
    while (pattern[literal] != '\0' && pattern[literal] != '%') {
      ++literal;
    }
    if (literal > 0) {
      sink.write(pattern, literal);
      pattern += literal;
      continue;
    }
    ++pattern;
    const FormatSpec spec = FormatSpec::parse(pattern);
    if (spec.conversion == '%') {
      sink.write("%", 1);
      continue;
    }
    const size_t index = used++;
    if (index < args.size() && spec.accepts(args[index].kind())) {
      write_argument(sink, spec, args[index]);
    } else {
      sink.write("%?", 2);
    }
  }
}

}  // namespace quarry
