#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the benchmarks and compares Quarry with its peers.

Each loop runs in a process of its contender (one for each family of loops and repetition), pinned
to one CPU, two for loops of two threads. Repetitions are interleaved and their order turns, so that
a machine that grows slower does so for everybody. Figures are medians in nanoseconds for a pair of
allocate and free; the ratio is to the fastest peer of the same row.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys

import contenders as who
import report
from session import Session

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def peer_list(text: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in who.PEERS:
            raise argparse.ArgumentTypeError(
                f"unknown peer '{name}'; known: {', '.join(who.PEERS)}")
    return names


def pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {error}") from error
    return text


def positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a positive number")
    return int(text)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "bench"),
                        help="the build folder (default: build/bench)")
    parser.add_argument("--quick", action="store_true", help="short and rough")
    parser.add_argument("--filter", type=pattern, default="", metavar="REGEX",
                        help="only loops that match")
    parser.add_argument("--peers", type=peer_list, default=who.PEERS, metavar="LIST",
                        help=f"comma-separated, of: {','.join(who.PEERS)}")
    parser.add_argument("--repetitions", type=positive, metavar="N", help="default 5, quick 3")
    parser.add_argument("--instructions", action="store_true",
                        help="count user-mode instructions for each pair too, with perf")
    parser.add_argument("--json", metavar="FILE",
                        default=os.path.join(ROOT, "build", "bench.json"),
                        help="where the figures go (default: build/bench.json)")
    return parser.parse_args()


def processor_name() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def print_figures(session: Session, facts: dict) -> None:
    names = [contender.name for contender in session.contenders]
    table = facts["loops"]
    print(f"{facts['cpu']}, {facts['cpus']} CPUs, load {facts['load_at_start']:.1f} at the start; "
          f"medians of {facts['repetitions']}")
    for build in sorted(session.builds - {"Release"}):
        print(f"A build of type '{build}' was measured: its figures say nothing.")
    print(report.table_text(table, names, "ns", with_targets="quarry" in names))
    if any(figure["instructions"] for figure in table):
        print("\n" + report.table_text(table, names, "instructions", with_targets=False))
    if "quarry" in names:
        print(report.summary(table))
    for error in facts["errors"]:
        print(f"Failed: {error}")


def write_json(path: str, facts: dict) -> None:
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
        file.write("\n")


def main() -> int:
    options = parse_arguments()
    contenders, absent = who.find_contenders(options.build, options.peers)
    for line in absent:
        print(f"Left out: {line}")
    if not contenders:
        print("bench: nothing to run", file=sys.stderr)
        return 2
    load = os.getloadavg()[0]
    session = Session(contenders, min_time=0.01 if options.quick else 0.1)
    rows = session.rows(options.filter)
    if not rows and not session.errors:
        print(f"bench: no loop matches '{options.filter}'", file=sys.stderr)
        return 2

    repetitions = options.repetitions or (3 if options.quick else 5)
    session.run(rows, repetitions)
    instructions = session.count_instructions() if options.instructions else {}
    names = [contender.name for contender in contenders]
    facts = {
        "cpu": processor_name(), "cpus": os.cpu_count(), "load_at_start": load,
        "repetitions": repetitions, "min_time_s": session.min_time, "left_out": absent,
        "errors": list(session.errors),
        "loops": report.figures(rows, names, session.samples, instructions),
    }
    print_figures(session, facts)
    write_json(options.json, facts)
    return 1 if session.errors else 0


if __name__ == "__main__":
    sys.exit(main())
