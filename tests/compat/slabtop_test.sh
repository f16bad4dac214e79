#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# slabtop of procps, unmodified, reads a live program: the file that the program keeps current is
# bound over /proc/slabinfo in a namespace of its own.   slabtop_test.sh PROBE
set -euo pipefail
probe=$1

skip() {
  echo "slabtop: skipped: $1"
  exit 77
}
command -v slabtop >/dev/null || skip "procps is not installed"
namespaces=
for options in -Urm -m; do
  unshare $options sh -c 'mount --bind /proc/version /proc/slabinfo' 2>/dev/null || continue
  namespaces=$options
  break
done
[ -n "$namespaces" ] || skip "user and mount namespaces are not allowed here"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
in_namespace() {
  unshare $namespaces sh -c 'mount --bind "$1" /proc/slabinfo && shift && exec "$@"' sh \
    "$folder/proc/slabinfo" "$@"
}
require() { # text, pattern
  grep -qE "$2" <<<"$1" || {
    echo "slabtop: '$2' is not in: $1" >&2
    exit 1
  }
}

coproc live { QUARRY_CMDLINE="quarry.proc=$folder/proc" exec "$probe" live; }
exec {more}>&"${live[1]}"
read -r count <&"${live[0]}"
require "$count" '^900$'
sleep 0.5
require "$(in_namespace slabtop -o)" '^ *9[0-9][0-9] +9[0-9][0-9] +[0-9]+% +0\.12K .* probe_live'

# One slabtop sees the objects come: it reads its file again each second. It ends by itself: killing
# `script` may leave it there, with this shell's end of the program's input.
in_namespace script -qec 'timeout 5 slabtop -d 1' /dev/null </dev/null >"$folder/screen" &
screen=$!
sleep 1.5
for ((i = 0; i != 10; ++i)); do
  echo >&"$more"
  read -r count <&"${live[0]}"
done
require "$count" '^9900$'
wait $screen || true
# The first picture, then what has changed in it: 29 slabs of 32 objects, 310 slabs.
require "$(<"$folder/screen")" '928 .*probe_live'
require "$(<"$folder/screen")" '9920'
exec {more}>&-
eval "exec ${live[1]}>&-"
wait
echo "slabtop: ok"
