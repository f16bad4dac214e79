#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refuses a file that has LINES or more.   small.py FILE LINES"""
import sys

path, limit = sys.argv[1], int(sys.argv[2])
with open(path, encoding="utf-8") as file:
    count = len(file.readlines())
print(f"{path}: {count} lines, has to be under {limit}")
sys.exit(count >= limit)
