#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What Quarry costs in bytes, from what the build folders of bare machines have; compares it with
the table in docs/porting.md.

  costs.py [--write] ARCH=BUILD...

Status 1: a figure of the table is not true (code may differ by 10 %, a structure by nothing).
--write makes it true.
"""
import argparse
import os
import re
import subprocess
import sys

GUIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/porting.md")
COLUMNS = ["x86_64", "i386"]
TOLERANCE = 0.10
CODE, STRUCTURE = TOLERANCE, 0
# Row of the table -> how far it may be from the truth.
ROWS = {
    "core: code and constants": CODE,
    "core: initialised and zeroed data": STRUCTURE,
    "kernel's C API: code and constants": CODE,
    "the minimal kernel: code and constants": CODE,
    "the minimal kernel: data, with tables, stack and a `MemorySystem`": CODE,
    "a `MemorySystem`": STRUCTURE,
    "each frame of 4 KiB: `struct page`": STRUCTURE,
    "each section of 128 MiB": STRUCTURE,
    "each node, with its zones": STRUCTURE,
    "each CPU: `CpuBlock`": STRUCTURE,
    "each cache that there is room for": STRUCTURE,
    "... for each CPU and once more: its array": STRUCTURE,
    "... for each node": STRUCTURE,
    "each vmalloc area": STRUCTURE,
}
SYMBOLS = ["system", "frame", "section", "node", "cpu", "cache", "cache_cpu", "cache_node", "area"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="bring the table up to date")
    parser.add_argument("builds", nargs="+", metavar="ARCH=BUILD")
    return parser.parse_args()


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sections(file, but="-"):
    """(text with constants, data with zeroed data) of a program, or of an archive but one member"""
    rows = [line.split() for line in run("size", file).splitlines()[1:]]
    rows = [[int(cell) for cell in row[:3]] for row in rows if row[5] != but]
    return sum(row[0] for row in rows), sum(row[1] + row[2] for row in rows)


def figures(build):
    """{row: bytes}"""
    text, data = sections(f"{build}/lib/libquarry_costs.a", but="costs.cc.o")
    with_api, _ = sections(f"{build}/lib/libquarry.a")
    found = [text, data, with_api - text]
    kernel = f"{build}/embedding/minimal-kernel.elf"
    found += sections(kernel) if os.path.exists(kernel) else [None, None]
    names = run("nm", "-P", "-t", "d", f"{build}/lib/libquarry_costs.a").splitlines()
    symbols = {name: int(size) for name, _, _, size in
               (line.split() for line in names if line.startswith("cost_"))}
    found += [symbols[f"cost_{name}"] for name in SYMBOLS]
    return dict(zip(ROWS, found, strict=True))


def read_table(guide):
    """{row: {arch: bytes}}; a dash is None."""
    table = {}
    row = r"^\| (.+?) +\| +([\d,–]+) \| +([\d,–]+) \|$"
    for name, *cells in re.findall(row, guide, re.MULTILINE):
        table[name] = {arch: None if cell == "–" else int(cell.replace(",", ""))
                       for arch, cell in zip(COLUMNS, cells, strict=True)}
    return table


def show(table):
    cells = {name: ["–" if row.get(arch) is None else f"{row[arch]:,}" for arch in COLUMNS]
             for name, row in table.items()}
    width = max(map(len, cells))
    head = [f"| {'bytes':{width}} | {'x86-64':>8} | {'i386':>8} |",
            f"|{'-' * (width + 2)}|---------:|---------:|"]
    return head + [f"| {name:{width}} | {a:>8} | {b:>8} |" for name, (a, b) in cells.items()]


def wrong(arch, table, today):
    for name, value in today.items():
        told = table.get(name, {}).get(arch)
        if (told is None) != (value is None):
            yield f"{arch}: {name}: {told} in the guide, today {value}"
        elif value is not None and abs(value - told) > ROWS[name] * told:
            yield f"{arch}: {name}: {told:,} in the guide, today {value:,}"


def main():
    args = arguments()
    with open(GUIDE, encoding="utf-8") as file:
        guide = file.read()
    told = read_table(guide)
    today = {arch: figures(build) for arch, build in (word.split("=", 1) for word in args.builds)}
    table = {name: {arch: today[arch][name] if arch in today else told.get(name, {}).get(arch)
                    for arch in COLUMNS} for name in ROWS}
    print("\n".join(show(table)))
    if args.write:
        written = re.sub(r"(?s)\| bytes .*?\n(?=\n)", lambda _: "\n".join(show(table)) + "\n", guide)
        with open(GUIDE, "w", encoding="utf-8") as file:
            file.write(written)
        return
    findings = [line for arch, found in today.items() for line in wrong(arch, told, found)]
    findings += [f"the guide has a row of its own: {name}" for name in told if name not in ROWS]
    if findings:
        sys.exit("\n".join(["costs.py --write makes docs/porting.md true:", *findings]))


main()
