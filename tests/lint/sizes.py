#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sizes of files and functions (STYLE: median of files 150 lines, p90 of functions 30)."""
import statistics
import subprocess

import tree

FOLDERS = ["src", "include", "ports", "compat", "replay", "tools"]
FILE_LIMIT = 600
FILE_MEDIAN = 150
FUNCTION_LIMIT = 70
FUNCTION_P90 = 30
# The median and the p90 say nothing about a handful.
ENOUGH = 10


def functions(root, paths):
    """(lines, path, first line, name) of each function body; lambdas count with their function."""
    command = ["ctags", "--languages=C,C++", "--kinds-C=f", "--kinds-C++=f", "--fields=+ne",
               "--output-format=xref", "--_xformat=%F\t%n\t%e\t%N", "-L", "-", "-o", "-"]
    found = subprocess.run(command, input="\n".join(paths), cwd=root, text=True, check=True,
                           capture_output=True).stdout
    for line in found.splitlines():
        path, first, last, name = line.split("\t")
        if last.isdigit() and not name.startswith("__anon"):
            yield int(last) - int(first) + 1, path, int(first), name


def p90(values):
    return sorted(values)[(len(values) * 9 + 9) // 10 - 1]


def main():
    root = tree.root_argument(__doc__)
    paths = tree.files(root, FOLDERS, tree.CXX_SUFFIXES)
    file_lines = {path: len(tree.lines(root, path)) for path in paths}
    findings = [f"{path}: {count} lines, limit {FILE_LIMIT}"
                for path, count in file_lines.items() if count > FILE_LIMIT]
    bodies = list(functions(root, paths)) if paths else []
    findings += [f"{path}:{first}: {name} has {count} lines, limit {FUNCTION_LIMIT}"
                 for count, path, first, name in bodies if count > FUNCTION_LIMIT]
    summary = []
    if len(paths) >= ENOUGH:
        median = statistics.median(file_lines.values())
        summary.append(f"median file {median:g} lines")
        if median > FILE_MEDIAN:
            findings.append(f"the median file has {median:g} lines, limit {FILE_MEDIAN}")
    if len(bodies) >= ENOUGH:
        size = p90([count for count, *_ in bodies])
        summary.append(f"p90 of {len(bodies)} functions {size} lines")
        if size > FUNCTION_P90:
            findings.append(f"p90 of functions is {size} lines, limit {FUNCTION_P90}")
    tree.report("sizes", findings, ", ".join(summary))


main()
