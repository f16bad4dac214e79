#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of each operation on bare machines and compares them with the record.

  run.py [--json FILE] [--record] ARCH=KERNEL.elf...

Boots each kernel under QEMU's -icount, where the time-stamp counter counts instructions, so every
run gives the same figures for the same compiler. Status 1: a figure grew by more than the record
allows, or is not in it; --record makes today's figures the record.
"""
import argparse
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BOOT = os.path.join(HERE, "..", "..", "tests", "boot", "run")
RECORD = os.path.join(HERE, "record.json")
# 2^7 counts of the time-stamp counter an instruction: the shift at which devices' time passes
# neither too fast nor too slowly.
SHIFT = 7
ALLOWED_GROWTH = 0.02
# Each is measured in a boot of its own.
ENGINES = ["slub", "slob"]
# A kernel of Linux 6.1 built lean in the same emulator, and what Quarry aims at; for x86-64.
LINUX_AND_TARGET = {
    "kmalloc64_const_pair": (138, 70),
    "kmalloc64_var_pair": (156, 85),
    "kmem_cache64_pair": (111, 55),
    "kmalloc64_batch1000": (206, 100),
    "kmem_cache_bulk64_per_object": (66, 25),
    "page0_pair": (400, 120),
    "page3_pair": (593, 160),
    "page9_pair": (17041, 500),
    "vmalloc1_pair": (2687, 900),
    "vmalloc16_pair": (7204, 3000),
    "slob_kmalloc64_batch10000_random": (6345, 1500),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE", help="where the figures go")
    parser.add_argument("--record", action="store_true", help="replace the record")
    parser.add_argument("kernels", nargs="+", metavar="ARCH=KERNEL.elf")
    return parser.parse_args()


def count(kernel):
    """{operation: instructions}"""
    text = ""
    for engine in ENGINES:
        done = subprocess.run([BOOT, "--append", f"slab_engine={engine}", kernel,
                               "-m", "256M", "-icount", f"shift={SHIFT},sleep=off"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"run.py: {kernel}: {done.stderr.strip() or done.stdout.strip()}")
        text += done.stdout
    return {name: round(int(counts) / 2**SHIFT / int(operations), 2) for name, counts, operations
            in re.findall(r"^op (\w+) (\d+) (\d+)\r?$", text, re.MULTILINE)}


def read_record():
    if not os.path.exists(RECORD):
        return {}
    with open(RECORD, encoding="utf-8") as file:
        return json.load(file)


def write(path, figures):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(figures, file, indent=1)
        file.write("\n")


def show(arch, counted, recorded):
    print(f"\n{arch + ': instructions':34}{'counted':>10}{'recorded':>10}{'Linux':>10}{'target':>10}")
    for name, value in counted.items():
        linux, target = LINUX_AND_TARGET[name] if arch == "x86_64" else ("", "")
        met = "" if target == "" else " met" if value <= target else " missed"
        print(f"  {name:32}{value:10.1f}{recorded.get(name, float('nan')):10.1f}"
              f"{linux:>10}{target:>10}{met}")


def complaints(arch, counted, recorded):
    for name in [*counted, *(name for name in recorded if name not in counted)]:
        if name not in recorded or name not in counted:
            yield f"{arch}: {name} is not {'in the record' if name in counted else 'measured'}"
        elif counted[name] > recorded[name] * (1 + ALLOWED_GROWTH):
            yield f"{arch}: {name} grew from {recorded[name]} to {counted[name]} instructions"


def main():
    args = arguments()
    figures = {arch: count(kernel) for arch, kernel
               in (kernel.split("=", 1) for kernel in args.kernels)}
    record = read_record()
    for arch, counted in figures.items():
        show(arch, counted, record.get(arch, {}))
    if args.json:
        write(args.json, figures)
    if args.record:
        write(RECORD, {**record, **figures})
        return
    wrong = [line for arch, counted in figures.items()
             for line in complaints(arch, counted, record.get(arch, {}))]
    if wrong:
        sys.exit("\n".join(f"run.py: {line}" for line in wrong))


main()
