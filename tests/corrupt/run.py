#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a program with a bug and compares what it prints, every line of it.

run.py PROGRAM SOURCE EXPECTED        run.py --write PROGRAM SOURCE EXPECTED

The source's second line says the program's command line. Of what differs from run to run, the text
keeps what it means:
  <object+0x40>   an address near the object that the program names; also as pieces of a dump's line
  <address>       any other address
  age=* cpu=*     PID is checked to be the program's own
  main+*          where in a function; functions of the library and those that call main() are left
                  out of backtraces
"""
import os
import re
import subprocess
import sys

NEAR = 1 << 16
# A symbol that is too long has no offset.
FRAME = re.compile(r"^(?: |\s{8})(_ZN6quarry\S*|\S+(?=\+))(\+0x[0-9a-f]+/0x[0-9a-f]+)?$")


def near(address, base):
    """The address as a distance from the object; None if it is far from it."""
    distance = address - base
    if abs(distance) >= NEAR:
        return None
    sign = "+" if distance > 0 else "-"
    return "<object>" if distance == 0 else f"<object{sign}{abs(distance):#x}>"


def plain(line, base, pid):
    """The line without what differs from run to run."""
    line = re.sub(r"^(object) 0x[0-9a-f]+$", r"\1", line)
    line = re.sub(r"\bage=[0-9/]+", "age=*", line)
    line = re.sub(r"\b(cpu=|CPU: )[0-9]+", r"\1*", line)
    line = re.sub(rf"\bpid={pid}\b", "pid=PID", line)
    line = re.sub(r"(\w)\+0x[0-9a-f]+/0x[0-9a-f]+", r"\1+*", line)

    def name(match):
        number = int(match.group(1), 16)
        # Of 48 bits and more are the words that mark memory.
        return near(number, base) or (match.group() if number >> 48 else "<address>")

    return re.sub(r"(?:0x|\b)([0-9a-f]{16})\b", name, line)


def without_foreign_frames(lines):
    """Backtraces from the allocator's caller to main()."""
    past_main = False
    for line in lines:
        frame = FRAME.match(line)
        if frame is None:
            past_main = past_main and re.match(r"^\s+0x[0-9a-f]+$", line) is not None
            if not past_main:
                yield line
            continue
        if past_main or frame.group(1).startswith("_ZN6quarry") or "quarry" in frame.group(1):
            continue
        yield line
        past_main = frame.group(1) == "main"


def run(program, command_line):
    environment = {**os.environ, "QUARRY_CMDLINE": command_line}
    with subprocess.Popen([program], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        text = child.communicate(timeout=60)[1]
        if child.returncode != 0:
            sys.exit(f"{program} ended with {child.returncode}:\n{text}")
    named = re.search(r"^object (0x[0-9a-f]+)$", text, re.MULTILINE)
    base = int(named.group(1), 16) if named else 0
    lines = without_foreign_frames(text.splitlines())
    return [plain(line, base, child.pid) for line in lines]


def main(arguments):
    write = arguments[:1] == ["--write"]
    program, source, expected = arguments[write:]
    with open(source, encoding="utf-8") as file:
        command_line = file.readlines()[1].strip("/* \n")
    lines = run(program, command_line)
    if write:
        with open(expected, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return
    with open(expected, encoding="utf-8") as file:
        wanted = file.read().splitlines()
    for number, (got, want) in enumerate(zip(lines, wanted), 1):
        if got != want:
            sys.exit(f"{expected}:{number}:\n  wanted: {want}\n  got:    {got}")
    if len(lines) != len(wanted):
        sys.exit(f"{expected}: {len(wanted)} lines are wanted, {len(lines)} were printed:\n"
                 + "\n".join(lines[len(wanted):]))


if __name__ == "__main__":
    main(sys.argv[1:])
