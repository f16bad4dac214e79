#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses unfinished marks anywhere, sources without licence line, and odd file names."""
import os
import re

import tree

# Written so that this file does not find itself.
MARKS = re.compile(
    r"\b(?:[T]ODO|[F]IXME|[X]XX|[H]ACK|[T]BD|[W]IP)\b|(?i:\b[n]ot (?:yet )?implemented\b)")
LICENCE = "SPDX-License-Identifier: MIT"
LICENSED = (".h", ".cc", ".c", ".S", ".py", ".cmake", "CMakeLists.txt", "Makefile")
FILE_NAME = re.compile(r"[a-z0-9_]+\.(?:h|cc|c|S|py)")
# The kernel's own names have dashes.
KERNEL_NAMES = ("include/compat/", "examples/")


def findings_of(root, path):
    text = tree.lines(root, path)
    for number, line in enumerate(text, 1):
        if mark := MARKS.search(line):
            yield f"{path}:{number}: unfinished: {mark.group()}"
    name = os.path.basename(path)
    if name.endswith(LICENSED) and not any(LICENCE in line for line in text[:2]):
        yield f"{path}: does not begin with {LICENCE}"
    if name.endswith((".h", ".cc", ".c", ".S", ".py")) and not FILE_NAME.fullmatch(name):
        if not path.startswith(KERNEL_NAMES):
            yield f"{path}: file names are snake_case"


def main():
    root = tree.root_argument(__doc__)
    paths = tree.files(root)
    findings = [finding for path in paths for finding in findings_of(root, path)]
    tree.report("marks", findings, f"{len(paths)} files")


main()
