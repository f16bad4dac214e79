# SPDX-License-Identifier: MIT
"""What each loop is compared with, and the figures it is meant to reach."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Limit:
    """An upper bound: nanoseconds, or a multiple of the fastest peer's time."""

    value: float
    unit: str  # "ns" or "x"

    def __str__(self) -> str:
        return f"{self.value:.2f}x" if self.unit == "x" else f"{self.value:g} ns"

    def verdict(self, ns: float | None, fastest_peer_ns: float | None) -> str | None:
        """"met" or "missed"; None where a figure it needs was not measured."""
        scale = 1.0 if self.unit == "ns" else fastest_peer_ns
        if ns is None or scale is None:
            return None
        return "met" if ns <= self.value * scale else "missed"


@dataclasses.dataclass(frozen=True)
class Rule:
    """For Quarry's loops that `pattern` matches: the peers' loop (a template of the match; the same
    name where None), what is required, and what is aimed at beyond that."""

    pattern: str
    peer_loop: str | None = None
    required: Limit | None = None
    aim: Limit | None = None


def times(value: float) -> Limit:
    return Limit(value, "x")


def ns(value: float) -> Limit:
    return Limit(value, "ns")


# The first match counts.
RULES = [
    Rule(r"hot_pair(_const)?/64", required=times(1.0), aim=times(0.85)),
    Rule(r"hot_pair(_const)?/\d+", aim=times(0.85)),
    Rule(r"batch_(fifo|lifo|random)/1000", aim=times(1.0)),
    Rule(r"batch_random/100000", aim=times(1.0)),
    Rule(r"replace/\d+", aim=times(1.0)),
    Rule(r"zeroed/64", aim=times(0.8)),
    Rule(r"zeroed/4096", aim=times(1.0)),
    Rule(r"other_thread/\d+", aim=times(0.8)),
    Rule(r"threads_swap/\d+", aim=times(1.0)),
    Rule(r"page_pair/0", required=ns(8), aim=ns(6)),
    Rule(r"page_pair/3", aim=ns(8)),
    Rule(r"page_pair/9", aim=ns(60)),
    Rule(r"page_batch_random/10000", aim=ns(15)),
    Rule(r"cache_pair/(\d+)", peer_loop=r"hot_pair_const/\1"),
    Rule(r"vmalloc_fresh/(16)", peer_loop=r"mmap_touch/\1", aim=times(0.25)),
    Rule(r"vmalloc_fresh/(256)", peer_loop=r"mmap_touch/\1", aim=times(0.08)),
    Rule(r"vmalloc_fragmented/(16|256)", peer_loop=r"mmap_touch/\1", aim=times(0.8)),
    Rule(r"vmalloc_\w+/(\d+)", peer_loop=r"mmap_touch/\1"),
]
NO_RULE = Rule("")


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table."""

    loop: str
    peer_loop: str
    rule: Rule

    def loop_of(self, contender: str) -> str:
        return self.loop if contender == "quarry" else self.peer_loop


def row_for(loop: str) -> Row:
    for rule in RULES:
        match = re.fullmatch(rule.pattern, loop)
        if match:
            peer_loop = match.expand(rule.peer_loop) if rule.peer_loop else loop
            return Row(loop, peer_loop, rule)
    return Row(loop, loop, NO_RULE)


def rows_for(quarry_loops: list[str], peer_loops: list[str], selection: str) -> list[Row]:
    """Quarry's loops, then those of the peers that no row compares with yet."""
    rows = [row_for(loop) for loop in quarry_loops]
    shown = {row.peer_loop for row in rows}
    rows += [row_for(loop) for loop in peer_loops if loop not in shown]
    wanted = re.compile(selection)
    return [row for row in rows if wanted.search(row.loop) or wanted.search(row.peer_loop)]
