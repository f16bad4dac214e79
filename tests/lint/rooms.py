#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include what (DESIGN.md, the rooms).

A room of src/ includes itself and lower rooms, public headers of its own level or below, and the
freestanding subset of the standard library. It has no #if on ports or features. The other folders
have the rules in RULES below.
"""
import os
import re

import tree

ROOMS = {
    room: level
    for level, room in enumerate(
        ["base", "arch", "sync", "gfp", "check", "frame", "map", "zone", "kmem", "vmalloc",
         "reclaim", "proc", "system"])
}
# The room whose knowledge a public header shows; include/quarry/abi is below all rooms, and a
# header that is not named here belongs to the topmost room.
PUBLIC_HEADERS = {
    "assert.h": "base", "bits.h": "base", "text_sink.h": "base", "units.h": "base",
    "platform.h": "arch", "gfp.h": "gfp", "fault_parameters.h": "check",
    "x86_cpu.h": "arch", "file_write.h": "kmem"
}

FREESTANDING = set(
    "atomic bit concepts cstddef cstdint limits type_traits utility compare new span array".split())
ABI_HEADERS = {"stddef.h", "stdint.h", "stdbool.h"}
BARE_PORTS = ["ports/x86_64", "ports/i386"]
HOSTED_ARCH_HEADERS = re.compile(r"(sys|linux)/rseq\.h")
CONDITION_WORDS = {
    "defined", "NDEBUG", "QUARRY_DEBUG", "QUARRY_AUDIT_ENABLED", "__cplusplus", "__clang__"
}

INCLUDE = re.compile(r'\s*#\s*include(?:_next)?\s*([<"])([^>"]+)[>"]')
CONDITION = re.compile(r"\s*#\s*(?:el)?if(?:n?def)?\b(.*)")


def public_level(target):
    """Level of the public header <quarry/...>; -1 for the ABI that all rooms share."""
    name = target.removeprefix("quarry/")
    return -1 if name.startswith("abi/") else ROOMS[PUBLIC_HEADERS.get(name, "system")]


def own_file(root, path, top, target):
    """Whether a quoted include names a file of the same part of the tree."""
    places = {os.path.dirname(path), top, os.path.dirname(top)} - {""}
    return any(os.path.isfile(os.path.join(root, place, target)) for place in places)


def core_rule(root, path, quote, target):
    room = path.split("/")[1]
    if room not in ROOMS:
        return f"src/{room} is not a room"
    level = ROOMS[room]
    first = target.split("/")[0]
    if first == "quarry":
        return None if public_level(target) <= level else f"<{target}> belongs to a higher room"
    if quote == "<":
        if target in FREESTANDING:
            return None
        if path.startswith("src/arch/hosted") and HOSTED_ARCH_HEADERS.fullmatch(target):
            return None
        return f"<{target}> is not in the freestanding subset"
    if room == "arch" and "/" not in target:
        return None
    if first not in ROOMS:
        return f'"{target}" is in no room; includes start at src/'
    return None if ROOMS[first] <= level else f'"{target}" is in a higher room'


def abi_rule(root, path, quote, target):
    if target in ABI_HEADERS or target.startswith("quarry/abi/"):
        return None
    if quote == '"' and own_file(root, path, "include/quarry/abi", target):
        return None
    return f"{target}: the ABI includes itself and {', '.join(sorted(ABI_HEADERS))}"


def public_rule(root, path, quote, target):
    if target in FREESTANDING or target.startswith("quarry/"):
        return None
    return f"{target}: public headers include public headers and the freestanding subset"


def compat_header_rule(root, path, quote, target):
    if target.startswith(("quarry/abi/", "linux/", "asm/", "asm-generic/")):
        return None
    if quote == "<" and target.endswith(".h") and not target.startswith("quarry/"):
        return None
    return f"{target}: the kernel's headers include each other, the ABI and headers of C"


def replay_rule(root, path, quote, target):
    if target in FREESTANDING or target.startswith("quarry/"):
        return None
    if quote == '"' and target.startswith("replay/"):
        return None
    return f"{target}: the player includes public headers, its own and the freestanding subset"


def port_rule(root, path, quote, target):
    first = target.split("/")[0]
    if quote == "<" or first == "quarry":
        return None
    if first in ROOMS:
        allowed = ROOMS[first] <= ROOMS["map"] or first == "system"
        return None if allowed else f'"{target}": a port knows the rooms up to map, and system'
    top = "/".join(path.split("/")[:2])
    # What the bare ports share includes headers that each of them has, chosen by include path.
    if top == "ports/x86" and all(own_file(root, f"{port}/", port, target) for port in BARE_PORTS):
        return None
    return None if own_file(root, path, top, target) else f'"{target}" is not of this port'


def facade_rule(root, path, quote, target):
    first = target.split("/")[0]
    if quote == "<" or first in ROOMS or first in ("quarry", "linux", "asm"):
        return None
    if own_file(root, path, "compat", target) or own_file(root, path, "ports/hosted", target):
        return None
    if path.startswith("compat/bare/") and own_file(root, path, "ports/x86", target):
        return None
    return f'"{target}" is neither of the façade nor of what it stands on'


def client_rule(root, path, quote, target):
    if quote == "<" or target.startswith(("quarry/", "linux/", "replay/")):
        return None
    top = "/".join(path.split("/")[:2])
    if own_file(root, path, top, target):
        return None
    return f'"{target}": tools and examples include public headers, the player and their own'


RULES = [
    ("src/", core_rule),
    ("include/quarry/abi/", abi_rule),
    ("include/quarry/", public_rule),
    ("include/compat/", compat_header_rule),
    ("ports/", port_rule),
    ("compat/", facade_rule),
    ("replay/", replay_rule),
    ("tools/", client_rule),
    ("examples/", client_rule),
]


def condition_finding(path, condition):
    if not path.startswith(("src/", "replay/")) or re.match(r"src/arch/[^/]+/", path):
        return None
    words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r"__has_attribute\s*\([^)]*\)", "", condition)))
    odd = words - CONDITION_WORDS
    return f"#if on {', '.join(sorted(odd))}: the core has none on ports or features" if odd else None


def findings_of(root, path):
    rule = next((rule for prefix, rule in RULES if path.startswith(prefix)), None)
    if rule is None:
        return
    for number, line in enumerate(tree.lines(root, path), 1):
        finding = None
        if include := INCLUDE.match(line):
            finding = rule(root, path, *include.groups())
        elif condition := CONDITION.match(line):
            finding = condition_finding(path, condition.group(1))
        if finding:
            yield f"{path}:{number}: {finding}"


def main():
    root = tree.root_argument(__doc__)
    folders = ["src", "include", "ports", "compat", "replay", "tools", "examples"]
    paths = tree.files(root, folders, tree.CXX_SUFFIXES)
    findings = [finding for path in paths for finding in findings_of(root, path)]
    tree.report("rooms", findings, f"{len(paths)} files")


main()
