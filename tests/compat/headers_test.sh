#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every header of include/compat compiles alone, silently, as C and as C++, before and after the
# headers of the C library that it shadows or extends.   headers_test.sh CC CXX ROOT
set -euo pipefail
cc=$1
cxx=$2
root=$3
flags=(-Wall -Wextra -Wshadow -Wundef -Werror -fsyntax-only -I"$root/include"
  -I"$root/include/compat")
system='#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/queue.h>
#include <sys/sysinfo.h>
#include <sys/types.h>
#include <sys/user.h>'
failed=0

compile() { # name, program, compiler and its options
  printf '%s\n' "$2" | "${@:3}" "${flags[@]}" - || {
    echo "headers: $1: ${*:3}" >&2
    failed=1
  }
}

both_orders() { # name, includes, compiler and its options
  compile "$1, then the system's" "$2"$'\n'"$system" "${@:3}"
  compile "$1 after the system's" "$system"$'\n'"$2" "${@:3}"
}

cd "$root/include/compat"
all=
while read -r header; do
  include="#include <${header#./}>"
  all+=$include$'\n'
  for standard in gnu11 c11; do both_orders "$header" "$include" "$cc" -x c -std=$standard; done
  both_orders "$header" "$include" "$cxx" -x c++ -std=c++20
done < <(find . -name '*.h' | sort)

# Together they leave the standard library and the public headers alone.
public=$(cd "$root/include" && find quarry -name '*.h' | sort | sed 's/.*/#include <&>/')
standard='#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <regex>
#include <string>
#include <thread>
#include <vector>'
for program in "$all$public"$'\n'"$standard" "$standard"$'\n'"$public"$'\n'"$all"; do
  compile "all headers" "$program" "$cxx" -x c++ -std=c++20
done
[ $failed = 0 ] && echo "headers: ok"
