# SPDX-License-Identifier: MIT
"""What the lints share: the files of the project, and how a finding is reported."""
import argparse
import os
import sys

SKIPPED_FOLDERS = {"build", "traces", "__pycache__"}
CXX_SUFFIXES = (".h", ".cc", ".c")


def files(root, folders=None, suffixes=None):
    """Paths relative to `root`, sorted; all folders that are not hidden where none are named."""
    found = []
    for top in folders or ["."]:
        for folder, subfolders, names in os.walk(os.path.join(root, top)):
            subfolders[:] = [
                s for s in subfolders
                if s not in SKIPPED_FOLDERS and (s == ".ci" or not s.startswith("."))
            ]
            for name in names:
                if suffixes is None or name.endswith(suffixes):
                    found.append(os.path.relpath(os.path.join(folder, name), root))
    return sorted(found)


def lines(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()


def root_argument(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("root", nargs="?", default=os.path.join(os.path.dirname(__file__), "../.."))
    return os.path.normpath(parser.parse_args().root)


def report(name, findings, summary=""):
    for finding in findings:
        print(f"{name}: {finding}")
    if not findings:
        print(f"{name}: ok{', ' + summary if summary else ''}")
    sys.exit(1 if findings else 0)
