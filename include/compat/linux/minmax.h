/* SPDX-License-Identifier: MIT */
/*
 * Each argument is evaluated once. In C constants give a constant. In C++ these are functions,
 * because macros of these names break the standard library.
 */
#pragma once

#ifdef __cplusplus

template <typename A, typename B>
constexpr auto min(A a, B b) -> decltype(true ? A(a) : B(b)) {
  return a < b ? a : b;
}
template <typename A, typename B>
constexpr auto max(A a, B b) -> decltype(true ? A(a) : B(b)) {
  return a > b ? a : b;
}
template <typename A, typename B, typename C>
constexpr auto min3(A a, B b, C c) {
  return min(min(a, b), c);
}
template <typename A, typename B, typename C>
constexpr auto max3(A a, B b, C c) {
  return max(max(a, b), c);
}
template <typename T, typename Low, typename High>
constexpr T clamp(T value, Low low, High high) {
  return static_cast<T>(min(max(value, low), high));
}

template <typename T>
constexpr T quarry_min_of(T a, T b) {
  return a < b ? a : b;
}
template <typename T>
constexpr T quarry_max_of(T a, T b) {
  return a > b ? a : b;
}

#define min_t(type, a, b) quarry_min_of<type>((type)(a), (type)(b))
#define max_t(type, a, b) quarry_max_of<type>((type)(a), (type)(b))
#define clamp_t(type, value, low, high) min_t(type, max_t(type, value, low), high)
#define clamp_val(value, low, high) clamp_t(__typeof__(value), value, low, high)

#else

#define QUARRY_PASTE_(a, b) a##b
#define QUARRY_PASTE(a, b) QUARRY_PASTE_(a, b)

#define QUARRY_PICK(op, a, b) ((a)op(b) ? (a) : (b))
#define QUARRY_PICK_ONCE(op, type_a, a, type_b, b, x, y) \
  __extension__({                                        \
    type_a x = (type_a)(a);                              \
    type_b y = (type_b)(b);                              \
    QUARRY_PICK(op, x, y);                               \
  })
/* Constant where both are, so that it can size an array. */
#define QUARRY_COMPARE(op, type_a, a, type_b, b)                                      \
  __builtin_choose_expr(                                                              \
      __builtin_constant_p(a) && __builtin_constant_p(b),                             \
      QUARRY_PICK(op, (type_a)(a), (type_b)(b)),                                      \
      QUARRY_PICK_ONCE(op, type_a, a, type_b, b, QUARRY_PASTE(quarry_a, __COUNTER__), \
                       QUARRY_PASTE(quarry_b, __COUNTER__)))

#define min(a, b) QUARRY_COMPARE(<, __typeof__(a), a, __typeof__(b), b)
#define max(a, b) QUARRY_COMPARE(>, __typeof__(a), a, __typeof__(b), b)
#define min_t(type, a, b) QUARRY_COMPARE(<, type, a, type, b)
#define max_t(type, a, b) QUARRY_COMPARE(>, type, a, type, b)
#define min3(a, b, c) min((__typeof__(a))min(a, b), c)
#define max3(a, b, c) max((__typeof__(a))max(a, b), c)
#define clamp(value, low, high) min((__typeof__(value))max(value, low), high)
#define clamp_t(type, value, low, high) min_t(type, max_t(type, value, low), high)
#define clamp_val(value, low, high) clamp_t(__typeof__(value), value, low, high)
#define swap(a, b)                      \
  do {                                  \
    __typeof__(a) quarry_swapped = (a); \
    (a) = (b);                          \
    (b) = quarry_swapped;               \
  } while (0)

#endif
