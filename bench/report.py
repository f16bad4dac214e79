# SPDX-License-Identifier: MIT
"""The figures as a table and as JSON."""

from __future__ import annotations

import statistics

from targets import Row


def figures(rows: list[Row], contenders: list[str], samples: dict,
            instructions: dict) -> list[dict]:
    """One object for each row: medians, the ratio to the fastest peer, and the verdicts.
    `samples` is {(contender, loop): [ns of each repetition]}."""
    table = []
    for row in rows:
        runs = {name: samples.get((name, row.loop_of(name)), []) for name in contenders}
        medians = {name: statistics.median(values) for name, values in runs.items() if values}
        peers = {name: value for name, value in medians.items() if name != "quarry"}
        fastest = min(peers, key=peers.get) if peers else None
        fastest_ns = peers.get(fastest)
        quarry_ns = medians.get("quarry")
        counted = {name: instructions.get((name, row.loop_of(name))) for name in contenders}
        table.append({
            "loop": row.loop,
            "peer_loop": row.peer_loop,
            "ns": medians,
            "samples_ns": {name: values for name, values in runs.items() if values},
            "instructions": {k: v for k, v in counted.items() if v is not None},
            "fastest_peer": fastest,
            "ratio": quarry_ns / fastest_ns if quarry_ns and fastest_ns else None,
            "targets": {
                kind: {"limit": limit.value, "unit": limit.unit, "text": str(limit),
                       "verdict": limit.verdict(quarry_ns, fastest_ns)}
                for kind, limit in (("required", row.rule.required), ("aim", row.rule.aim)) if limit
            },
        })
    return table


def number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if value < 1000 else f"{value:.0f}"


def target_text(figure: dict, kind: str) -> str:
    target = figure["targets"].get(kind)
    return f"{target['text']} {target['verdict'] or '-'}" if target else ""


def table_text(table: list[dict], contenders: list[str], unit: str, with_targets: bool) -> str:
    """`unit` is "ns" or "instructions", the key of the figures to show."""
    lines = [[f"{unit} per pair", *contenders]]
    if with_targets:
        lines[0] += ["ratio", "required", "aim"]
    for figure in table:
        cells = [figure["loop"], *(number(figure[unit].get(name)) for name in contenders)]
        if with_targets:
            ratio = figure["ratio"]
            cells += [f"{ratio:.2f}x" if ratio else "-",
                      target_text(figure, "required"), target_text(figure, "aim")]
        lines.append(cells)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
        for line in lines)


def summary(table: list[dict]) -> str:
    parts = []
    for kind in ("required", "aim"):
        verdicts = [figure["targets"].get(kind, {}).get("verdict") for figure in table]
        measured = [verdict for verdict in verdicts if verdict]
        if measured:
            parts.append(f"{kind}: {measured.count('met')} of {len(measured)} met")
    return "; ".join(parts) or "no target was measured"
