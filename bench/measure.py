# SPDX-License-Identifier: MIT
"""Starts the benchmark executables, and reads what they measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile

from contenders import Contender

# Loops of two threads: they get two CPUs, and no count of instructions (one side spins).
TWO_THREADS = ("other_thread/", "threads_swap/")
INSTRUCTIONS = "instructions:u"
# How long the shorter of the two runs that count instructions should take.
COUNTED_SECONDS = 0.02


class BenchError(Exception):
    """A benchmark that failed; the text says which and how."""


def exact_filter(loops: list[str]) -> str:
    """Google Benchmark appends to names: "/real_time", "/iterations:N"."""
    return f"^({'|'.join(re.escape(loop) for loop in loops)})(/[a-z_]+(:[0-9]+)?)*$"


def loop_name(reported: str) -> str:
    return re.sub(r"/(real_time|iterations:\d+)", "", reported)


def cpus_for(loops: list[str]) -> set[int]:
    allowed = sorted(os.sched_getaffinity(0))
    needed = 2 if any(loop.startswith(TWO_THREADS) for loop in loops) else 1
    return set(allowed[-needed:])


def start(contender: Contender, arguments: list[str], cpus: set[int],
          prefix: list[str] | None = None) -> str:
    """Runs the executable to its end, pinned, and returns its standard output."""
    command = [*(prefix or []), contender.executable, *arguments]
    done = subprocess.run(command, env=contender.environment(), capture_output=True, text=True,
                          check=False, preexec_fn=lambda: os.sched_setaffinity(0, cpus))
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BenchError(f"{contender.name}: exit status {done.returncode}: {last}")
    return done.stdout


def list_loops(contender: Contender) -> list[str]:
    listed = start(contender, ["--benchmark_list_tests=true"], os.sched_getaffinity(0))
    names = dict.fromkeys(loop_name(line) for line in listed.split())
    return [name for name in names if contender.runs(name)]


def check_context(contender: Contender, context: dict) -> None:
    """A preload that the loader could not follow would measure the wrong malloc."""
    if contender.preload:
        origin = os.path.realpath(context["malloc"])
        if origin != os.path.realpath(contender.preload):
            raise BenchError(f"{contender.name}: malloc came from {origin}")


def time_loops(contender: Contender, loops: list[str], min_time: float) -> tuple[dict, dict]:
    """One process; {loop: Google Benchmark's record} and the context of the run."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        start(contender, [f"--benchmark_filter={exact_filter(loops)}",
                          f"--benchmark_min_time={min_time}",
                          f"--benchmark_out={out}", "--benchmark_out_format=json"],
              cpus_for(loops))
        with open(out, encoding="utf-8") as file:
            result = json.load(file)
    check_context(contender, result["context"])
    return {loop_name(run["name"]): run for run in result["benchmarks"]}, result["context"]


def pair_ns(run: dict) -> float:
    return 1e9 / run["items_per_second"]


def perf_count(contender: Contender | None, arguments: list[str]) -> float | None:
    """What `perf stat` counted for a run, or for `true`; None where the machine cannot count."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as out:
        perf = ["perf", "stat", "-x,", "-e", INSTRUCTIONS, "-o", out.name, "--"]
        if contender:
            start(contender, arguments, cpus_for([]), perf)
        else:
            subprocess.run([*perf, "true"], capture_output=True, check=False)
        for line in out:
            value, *rest = line.split(",")
            if INSTRUCTIONS in rest and re.fullmatch(r"[\d.]+", value):
                return float(value)
    return None


def can_count_instructions() -> bool:
    try:
        return perf_count(None, []) is not None
    except FileNotFoundError:
        return False


def instructions_per_pair(contender: Contender, loop: str, run: dict) -> float | None:
    """Two runs of N and 2N iterations; start-up and set-up cancel out in the difference."""
    iteration_seconds = pair_ns(run) * 1e-9 * run["per_iteration"]
    iterations = max(1, int(COUNTED_SECONDS / iteration_seconds))
    counts = [perf_count(contender, [f"--benchmark_filter={exact_filter([loop])}",
                                     f"--iterations={n}"])
              for n in (iterations, 2 * iterations)]
    if None in counts:
        return None
    return (counts[1] - counts[0]) / (iterations * run["per_iteration"])
