"""Renders `summary.md`, for a pull request or the summary of a CI step: short, verdict first, details folded.

GitHub refuses the whole step summary if it is larger than 1,024 kB. So the text is cut well below that, with a note.
"""

import re

from orchestrator.gates import verdict
from orchestrator.journal import GateVerdict, Verdict
from orchestrator.report.exhibits import Exhibit
from orchestrator.report.stages import figure
from orchestrator.report.story import Story

ROWS = 20
_NODES = 50
LIMIT = 900_000
SIGNS = {Verdict.PASSED: "✅", Verdict.FAILED: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.ERROR: "⚠️"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def render(story: Story) -> str:
    """The Markdown text, at most `LIMIT` bytes."""
    run = story.run
    lines = [
        f"## {SIGNS[story.verdict.verdict]} {story.verdict.verdict}: {_plain(run.rehearsal.name)}",
        "",
        _plain(story.verdict.reason),
        "",
    ]
    if run.simulated:
        lines += ["> **SIMULATED**: the nodes were simulated; nothing here promotes a runtime.", ""]
    lines += _table(story)
    lines += [line for exhibit in story.unpassed[:ROWS] for line in _folded(exhibit)]
    lines += _costs(story)
    lines += ["<details><summary>Run</summary>", "", *_facts(story), "", "</details>", ""]
    return _cut("\n".join(lines))


def _table(story: Story) -> list[str]:
    """The table of gates. Those that did not pass come first, so that a cut cannot hide them."""
    ranked = sorted(story.verdict.every, key=lambda gate: -verdict.rank(gate.verdict))
    rows = [
        f"{story.headline()}.",
        "",
        "| | stage | gate | asked | worst | why |",
        "|---|---|---|---|---|---|",
        *(_row(gate) for gate in ranked[:ROWS]),
    ]
    left = len(ranked) - ROWS
    notes = [f"… and {left} more gates, in the HTML report."] if left > 0 else []
    notes += [
        f"Not judged in {_plain(stage.name)}, because this network cannot answer: {_plain(', '.join(stage.left_out))}."
        for stage in story.stages
        if stage.left_out
    ]
    return [*rows, "", *(line for note in notes for line in (note, ""))]


def _row(gate: GateVerdict) -> str:
    worst = " on ".join(filter(None, (figure(gate), gate.node)))
    cells = (SIGNS[gate.verdict], gate.stage, gate.gate, gate.threshold, worst, gate.reason)
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _folded(exhibit: Exhibit) -> list[str]:
    """What a gate's row has no room for: its author's reason, each node's finding, and the log lines."""
    told = [f"Why it matters: {_plain(exhibit.why)}"] if exhibit.why else []
    findings = exhibit.gate.nodes
    told += [f"- {SIGNS[found.verdict]} {_plain(found.node)}: {_plain(found.reason)}" for found in findings[:_NODES]]
    told += [f"- … and {len(findings) - _NODES} more nodes, in result.json"] if len(findings) > _NODES else []
    told += [f"- log of {_plain(line.node)}: {_plain(line.text)}" for line in exhibit.lines]
    if not told:
        return []
    name = _plain(f"{exhibit.gate.stage} / {exhibit.gate.gate}")
    return [f"<details><summary>{SIGNS[exhibit.gate.verdict]} {name}</summary>", "", *told, "", "</details>", ""]


def _costs(story: Story) -> list[str]:
    """The table of what the disturbances cost."""
    if not story.costs:
        return []
    head = (
        "stage", "disturbance", "lasted", "undone, or enacted, after", "final again after", "longest without finality",
        "relay blocks built", "not yet final, at most", "recovery gates",
    )  # fmt: skip
    rows = [
        (c.stage, f"{c.what} {story.since(c.start)}", c.lasted, c.undone, c.finality, c.standstill, c.built, c.lag,
         "; ".join(c.recovered))
        for c in story.costs
    ]  # fmt: skip
    cells = ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in (head, *rows)]
    return ["What the disturbances cost:", "", cells[0], "|---" * len(head) + "|", *cells[1:], ""]


def _facts(story: Story) -> list[str]:
    run = story.run
    facts = [
        ("run", run.run),
        ("testnet", f"{run.testnet.name}, {len(run.nodes)} nodes"),
        ("length", f"{story.end - story.start:.0f} s, {story.outcome}"),
        ("coalmine", run.version),
        *((f"genesis of {chain}", value) for chain, value in run.genesis.items()),
        *((image, digest) for image, digest in story.images.items()),
    ]
    return [f"- {_plain(name)}: {_plain(value)}" for name, value in facts]


def _plain(text: str) -> str:
    """The text as one line that Markdown shows unchanged."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _cut(text: str) -> str:
    raw = text.encode()
    if len(raw) <= LIMIT:
        return text
    note = "\n\n… cut here, because the summary of a step has a limit. The HTML report has everything.\n"
    return raw[: LIMIT - len(note.encode())].decode(errors="ignore") + note
