#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that a boot can fail: run_test.py KERNEL.elf, a kernel with crash_test.cc in it."""
import os
import subprocess
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
# The cases, the status of `run`, and what it says.
BOOTS = [
    ("Zones", 0, " cases ran, 0 failed"),
    ("Zones,Crash.failed_check_of_a_test", 1, "not equal: 6 * 9, 42: 54, 42"),
    ("Zones,Crash.failed_check_of_a_test", 1, " cases ran, 1 failed"),
    ("Crash.failed_check", 1, "Kernel panic"),
    ("Crash.page_fault", 1, "BUG: unable to handle page fault"),
    ("Crash.triple_fault", 1, "run: the machine reset itself"),
    ("Crash.endless_loop", 1, "run: no end in 5 s"),
    ("Nothing", 1, "0 cases ran"),
]


def main():
    for test, status, text in BOOTS:
        limit = "5" if test == "Crash.endless_loop" else "60"
        command = [RUN, "--timeout", limit, "--append", f"test={test}", sys.argv[1], "-m", "64M"]
        done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != status or text not in done.stdout:
            sys.exit(f"{done.stdout}\n{test}: status {done.returncode}, expected {status} and "
                     f"{text!r}")
        print(f"{test}: status {status}, as it should be")


main()
