#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A trace, packed and replayed on a bare machine, lays out what it lays out elsewhere.

  replay_test.py --tool QUARRY [--process] KERNEL.elf TRACE [QEMU option...]

Packs the trace and boots the kernel with it twice; both boots have to agree. With --process, so
has a process on a machine with the same memory map, of the packed trace and of the text.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
VERDICT = re.compile(r"^layout_hash ([0-9a-f]{16}); validate: ok$", re.MULTILINE)
EVENTS = re.compile(r"^(\d+) events on (\d+) CPUs, 0 allocations failed, .* 0 page tables made$",
                    re.MULTILINE)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True, help="the quarry of a hosted build")
    parser.add_argument("--process", action="store_true", help="compare with a process too")
    parser.add_argument("kernel")
    parser.add_argument("trace")
    parser.add_argument("qemu", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if not os.access(args.tool, os.X_OK):
        sys.exit(f"replay_test: {args.tool} is missing: build the preset of its folder first")
    return args


def boot(args, packed, log):
    """Layout hash and number of events and CPUs, of a boot whose text goes to `log`."""
    run = subprocess.run([BOOT, "--timeout", "240", args.kernel, "-initrd", packed, *args.qemu],
                         stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(run.stdout)
    hashes, events = VERDICT.search(run.stdout), EVENTS.search(run.stdout)
    if run.returncode or not hashes or not events:
        sys.exit(f"replay_test: the boot failed (status {run.returncode})")
    with open(log, "w", encoding="utf-8") as file:
        file.write(run.stdout)
    return hashes.group(1), int(events.group(1)), int(events.group(2))


def in_a_process(args, trace, log, cpus):
    """The same of a process with the memory map of the boot."""
    text = subprocess.run([args.tool, "replay", trace, "--json", "-", "--machine",
                           f"map={log},cpus={cpus}"], stdout=subprocess.PIPE, check=True).stdout
    run = json.loads(text)["runs"][0]
    if run["validate"] != "ok" or run["failed_allocations"]:
        sys.exit(f"replay_test: in a process: {run['validate']}")
    return run["layout_hash"], run["events"], cpus


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        packed, log = os.path.join(folder, "trace.kmp"), os.path.join(folder, "boot.log")
        subprocess.run([args.tool, "pack", args.trace, "-o", packed], check=True)
        found = boot(args, packed, log)
        results = {"a second boot": boot(args, packed, log)}
        if args.process:
            for trace in (packed, args.trace):
                results[f"a process, of {trace}"] = in_a_process(args, trace, log, found[2])
    for where, result in results.items():
        if result != found:
            sys.exit(f"replay_test: {where} gives {result}, the first boot {found}")
    print(f"replay_test: ok, {found[0]} in {1 + len(results)} replays")


main()
