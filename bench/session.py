# SPDX-License-Identifier: MIT
"""Which loops run when, in whose process, and what becomes of their figures."""

from __future__ import annotations

import collections
import sys

import contenders as who
import measure
import targets


class Session:
    """The measurements of one run: samples, the last record of each loop, and what went wrong."""

    def __init__(self, contenders: list[who.Contender], min_time: float):
        self.contenders = contenders
        self.min_time = min_time
        self.samples = collections.defaultdict(list)
        self.records = {}
        self.builds: set[str] = set()
        self.errors: dict[str, None] = {}  # in order, each once
        self.available = {contender.name: self.list_loops(contender) for contender in contenders}

    def list_loops(self, contender: who.Contender) -> list[str]:
        try:
            return measure.list_loops(contender)
        except measure.BenchError as error:
            self.errors[str(error)] = None
            return []

    def rows(self, selection: str) -> list[targets.Row]:
        peer_loops = dict.fromkeys(loop for name, loops in self.available.items()
                                   if name != "quarry" for loop in loops)
        return targets.rows_for(self.available.get("quarry", []), list(peer_loops), selection)

    def run_family(self, contender: who.Contender, loops: list[str]) -> None:
        try:
            records, context = measure.time_loops(contender, loops, self.min_time)
        except measure.BenchError as error:
            self.errors[f"{', '.join(loops)}: {error}"] = None
            return
        self.builds.add(context["build"])
        for loop, record in records.items():
            if record.get("error_occurred"):
                self.errors[f"{loop}: {contender.name}: {record['error_message']}"] = None
            else:
                self.samples[contender.name, loop].append(measure.pair_ns(record))
                self.records[contender.name, loop] = record

    def run(self, rows: list[targets.Row], repetitions: int) -> None:
        families = collections.defaultdict(list)
        for row in rows:
            families[row.loop.partition("/")[0]].append(row)
        for repetition in range(repetitions):
            first = repetition % len(self.contenders)
            for family, members in families.items():
                progress(f"{repetition + 1}/{repetitions} {family}")
                for contender in self.contenders[first:] + self.contenders[:first]:
                    wanted = [row.loop_of(contender.name) for row in members]
                    loops = [loop for loop in wanted if loop in self.available[contender.name]]
                    if loops:
                        self.run_family(contender, loops)
        progress("")

    def count_instructions(self) -> dict:
        if not measure.can_count_instructions():
            print(f"No instructions: perf stat cannot count {measure.INSTRUCTIONS} here.")
            return {}
        by_name = {contender.name: contender for contender in self.contenders}
        counted = {}
        for (name, loop), record in self.records.items():
            if loop.startswith(measure.TWO_THREADS):
                continue
            progress(f"instructions {name} {loop}")
            try:
                counted[name, loop] = measure.instructions_per_pair(by_name[name], loop, record)
            except measure.BenchError as error:
                self.errors[f"{loop}: {error}"] = None
        progress("")
        return counted


def progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
