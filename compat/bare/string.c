/* SPDX-License-Identifier: MIT */
/*
 * The string functions of C that the façade and kernel C use; the port has those of memory. In C,
 * because in C++ the library's header declares some of them twice.
 */
#include <string.h>

size_t strnlen(const char* text, size_t most) {
  const char* end = memchr(text, '\0', most);

  return end ? (size_t)(end - text) : most;
}

int strcmp(const char* a, const char* b) {
  for (; *a && *a == *b; a++) b++;
  return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char* a, const char* b, size_t most) {
  for (; most && *a && *a == *b; most--, a++) b++;
  return most ? (unsigned char)*a - (unsigned char)*b : 0;
}

char* strchr(const char* text, int wanted) {
  for (; *text != (char)wanted; text++)
    if (!*text) return NULL;
  return (char*)text;
}

char* strrchr(const char* text, int wanted) {
  const char* last = NULL;

  for (;; text++) {
    if (*text == (char)wanted) last = text;
    if (!*text) return (char*)last;
  }
}

size_t strcspn(const char* text, const char* refused) {
  size_t length = 0;

  while (text[length] && !strchr(refused, text[length])) length++;
  return length;
}

char* strcpy(char* to, const char* from) { return memcpy(to, from, strlen(from) + 1); }
