# SPDX-License-Identifier: MIT
"""Who takes part: Quarry, the mallocs of Debian's packages, and mmap."""

from __future__ import annotations

import dataclasses
import glob
import os

# Preloaded library of each malloc; None is what the process has anyway.
MALLOCS = {
    "glibc": None,
    "jemalloc": "libjemalloc.so.2",
    "tcmalloc": "libtcmalloc_minimal.so.4",
    "mimalloc": "libmimalloc.so.2.0",
}
PEERS = [*MALLOCS, "mmap"]
LIBRARY_FOLDERS = ["/usr/lib/*-linux-gnu*", "/usr/lib64", "/usr/lib", "/usr/local/lib"]


@dataclasses.dataclass(frozen=True)
class Contender:
    """One column of the table: an executable, and the malloc preloaded into it."""

    name: str
    executable: str
    preload: str | None = None

    def runs(self, loop: str) -> bool:
        """mmap shares its executable with the mallocs, and each has its own loops in it."""
        return self.name == "quarry" or (self.name == "mmap") == loop.startswith("mmap_")

    def environment(self) -> dict[str, str]:
        environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        if self.preload:
            environment["LD_PRELOAD"] = self.preload
        return environment


def find_library(name: str) -> str | None:
    for folder in LIBRARY_FOLDERS:
        for path in sorted(glob.glob(os.path.join(folder, name))):
            return path
    return None


def find_contenders(build: str, peers: list[str]) -> tuple[list[Contender], list[str]]:
    """Those that can run, Quarry first if it is there, and a line for each that cannot."""
    found: list[Contender] = []
    absent: list[str] = []
    bench_quarry = os.path.join(build, "bench", "bench_quarry")
    bench_malloc = os.path.join(build, "bench", "bench_malloc")
    if os.access(bench_quarry, os.X_OK):
        found.append(Contender("quarry", bench_quarry))
    else:
        absent.append(f"quarry: {bench_quarry} is not built")
    if peers and not os.access(bench_malloc, os.X_OK):
        absent.append(f"{', '.join(peers)}: {bench_malloc} is not built")
        return found, absent
    for peer in peers:
        library = MALLOCS.get(peer)
        path = find_library(library) if library else None
        if library and not path:
            absent.append(f"{peer}: {library} is not installed")
        else:
            found.append(Contender(peer, bench_malloc, path))
    return found, absent
