#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the core asks of whoever links it (DESIGN.md, the rooms): mem*, __cxa_pure_virtual, and
what a bare machine does in spin loops (src/arch/x86/x86_arch.h).

  symbols.py OBJECT...
"""
import subprocess
import sys

import tree

ALLOWED = {"memcpy", "memmove", "memset", "memcmp", "__cxa_pure_virtual", "quarry_bare_relax"}


def names(option, objects):
    found = subprocess.run(["nm", "-P", "-A", option, *objects], text=True, check=True,
                           capture_output=True).stdout
    for line in found.splitlines():
        place, name, *_ = line.split()
        yield name, place.rstrip(":")


def main():
    objects = sys.argv[1:]
    if not objects:
        sys.exit("symbols: no objects given")
    defined = {name for name, _ in names("--defined-only", objects)}
    findings = sorted({f"{place}: undefined {name}"
                       for name, place in names("--undefined-only", objects)
                       if name not in defined and name not in ALLOWED})
    tree.report("symbols", findings, f"{len(objects)} objects")


main()
