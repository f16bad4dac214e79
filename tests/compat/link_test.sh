#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A C program links with the archive alone by the plain C compiler, static too, and needs no library
# of C++.   link_test.sh CC ARCHIVE ROOT
set -euo pipefail
cc=$1
archive=$2
root=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/program.c" <<'PROGRAM'
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>

static int __init start(void) { return kzalloc(10, GFP_KERNEL) ? 0 : -ENOMEM; }
module_init(start);

int main(void) {
  void* area = vmalloc(100000);
  vfree(area);
  return !area;
}
PROGRAM
for options in "" "-static" "-O0 -fno-pie -no-pie" "-O2 -flto"; do
  # shellcheck disable=SC2086
  "$cc" $options -I"$root/include" -I"$root/include/compat" "$scratch/program.c" "$archive" \
    -o "$scratch/program"
  "$scratch/program"
done
"$cc" -I"$root/include" -I"$root/include/compat" "$scratch/program.c" "$archive" -o "$scratch/program"
needed=$(readelf -d "$scratch/program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
if grep -vE '^(libc|libgcc_s|ld-linux-x86-64)\.so' <<<"$needed"; then
  echo "link: needs more than the C compiler brings" >&2
  exit 1
fi
# The archive itself: nothing of the C++ runtime is left open, but for what is found in the archive.
if nm -u "$archive" | grep -E ' (_ZS|_ZNS|_ZNKS|_Zn|_Zd|__gxx|__cxa_(throw|begin|end|guard|rethrow))'
then
  echo "link: symbols of libstdc++" >&2
  exit 1
fi
# What README.md shows works as it stands there.
awk '/^```c$/ { p = 1; next } /^```/ { p = 0 } p' "$root/README.md" >"$scratch/readme.c"
"$cc" -Wall -Wextra -Werror -I"$root/include" -I"$root/include/compat" "$scratch/readme.c" "$archive" \
  -o "$scratch/readme"
"$scratch/readme" 2>"$scratch/readme.out"
grep -q "^BUG: sleeping function called from invalid context at hello_init" "$scratch/readme.out"
grep -q "^hello: 8 bytes usable$" "$scratch/readme.out"
awk '/^```cpp$/ { p = 1; next } /^```/ { p = 0 } p' "$root/README.md" |
  diff - <(sed -n '/#include <quarry/,$p' "$root/examples/cpp/two_systems.cc")
echo "link: ok"
