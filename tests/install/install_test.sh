#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs BUILD into a folder that is thrown away, and builds and runs a C and a C++ program with
# what is there: with pkg-config alone, and as a CMake project.   install_test.sh BUILD
set -euo pipefail
build=$1
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

cmake --install "$build" --prefix "$prefix" >"$scratch/log" 2>&1 || {
  cat "$scratch/log"
  exit 1
}
pc=$(find "$prefix" -name quarry.pc)
export PKG_CONFIG_PATH=${pc%/*}
read -ra cflags <<<"$(pkg-config --cflags quarry)"
read -ra libs <<<"$(pkg-config --libs quarry)"

# -Werror: the headers are silent in a strict build of either language.
gcc -std=c11 -Wall -Wextra -Werror "${cflags[@]}" "$here/consumer.c" "${libs[@]}" -o "$scratch/c"
"$scratch/c"
gcc -std=gnu11 -fno-pie -no-pie "${cflags[@]}" "$here/consumer.c" "${libs[@]}" -o "$scratch/no-pie"
"$scratch/no-pie"
g++ -std=c++20 -Wall -Wextra -Werror "${cflags[@]}" "$here/consumer.cc" "${libs[@]}" -o "$scratch/cc"
"$scratch/cc"

cmake -S "$here/package" -B "$scratch/package" -DCMAKE_PREFIX_PATH="$prefix" -G Ninja \
  >"$scratch/log" 2>&1 && cmake --build "$scratch/package" >>"$scratch/log" 2>&1 || {
  cat "$scratch/log"
  exit 1
}
"$scratch/package/consumer"
echo "install: ok"
