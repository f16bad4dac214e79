#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No mutable global state: the given objects have nothing writable, thread-local or constructed.

  globals.py OBJECT...

Writable by the section flag alone are .data.rel.ro (constant after relocation: tables of virtual
functions) and __rseq_cs (descriptors that the host's kernel reads).
"""
import os
import re
import subprocess
import sys

import tree

CONSTANT = re.compile(r"\.data\.rel\.ro(\..*)?|__rseq_cs")
SECTION = re.compile(r"\s*\[\s*(\d+)\]\s+(\S+)\s+\S+\s+\S+\s+\S+\s+([0-9a-f]+)\s+\S+\s+(\w*)\s")
SYMBOL = re.compile(r"\s*\d+:\s+\S+\s+\S+\s+(\S+)\s+\S+\s+\S+\s+(\S+)\s+(\S+)")


def readelf(what, path):
    run = subprocess.run(["readelf", what, path], text=True, capture_output=True,
                         env={**os.environ, "LC_ALL": "C"})
    if run.returncode or run.stderr:
        sys.exit(f"globals: {path}: {run.stderr.strip()}")
    return run.stdout.splitlines()


def findings_of(path):
    mutable = {}
    for line in readelf("-SW", path):
        if section := SECTION.match(line):
            index, name, size, flags = section.groups()
            if "W" in flags and int(size, 16) and not CONSTANT.fullmatch(name):
                mutable[index] = name
    named = set()
    for line in readelf("-sW", path):
        if symbol := SYMBOL.match(line):
            kind, index, name = symbol.groups()
            if index == "COM" or (index in mutable and kind != "SECTION"):
                named.add(index)
                yield f"{path}: {name} in {mutable.get(index, 'common')}"
    for index, name in mutable.items():
        if index not in named:
            yield f"{path}: {name} is not empty"


def main():
    objects = sys.argv[1:]
    if not objects:
        sys.exit("globals: no objects given")
    findings = [finding for path in objects for finding in findings_of(path)]
    tree.report("globals", findings, f"{len(objects)} objects")


main()
