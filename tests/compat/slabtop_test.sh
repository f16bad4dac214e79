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

await() { # the first number of the cache's line
  local tries
  for ((tries = 0; tries != 100; ++tries)); do
    grep -qsE "^probe_live +$1 " "$folder/proc/slabinfo" && return
    sleep 0.1
  done
}

coproc live { QUARRY_CMDLINE="quarry.proc=$folder/proc" exec "$probe" live; }
exec {more}>&"${live[1]}"
read -r count <&"${live[0]}"
require "$count" '^900$'
await '9[0-9][0-9]'

# Both slabtops run in one namespace: the second sees what the program wrote into the file that was
# bound before the objects came.
mkfifo "$folder/go"
in_namespace sh -c 'slabtop -o >"$1/before"; echo >"$1/go"; read -r _ <"$1/go"
  slabtop -o >"$1/after"' sh "$folder" &
top=$!
read -r _ <"$folder/go"
for ((i = 0; i != 10; ++i)); do
  echo >&"$more"
  read -r count <&"${live[0]}"
done
require "$count" '^9900$'
require "$(<"$folder/before")" '^ *9[0-9][0-9] +9[0-9][0-9] +[0-9]+% +0\.12K .* probe_live'
await '99[0-9][0-9]'
echo >"$folder/go"
wait $top
require "$(<"$folder/after")" '^ *99[0-9][0-9] +99[0-9][0-9] +[0-9]+% +0\.12K .* probe_live'
exec {more}>&-
eval "exec ${live[1]}>&-"
wait
echo "slabtop: ok"
