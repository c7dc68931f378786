"""Renders `report.html`: one page without scripts that works offline, in light and dark, and on paper."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from orchestrator.journal import Event, Node, NodeFinding
from orchestrator.report import charts, proof
from orchestrator.report.exhibits import Exhibit
from orchestrator.report.marks import marks
from orchestrator.report.scale import Times
from orchestrator.report.sentences import sentence
from orchestrator.report.stages import amount, figure, implied
from orchestrator.report.story import TROUBLE, Story

_CARDS = 12
"""How many gates that did not pass have a card before everything else. The table has them all."""

_STRIP = 34.0
"""The height of the strip of stages, in SVG units."""

AGAIN, ANEW = "coalmine judge .", "coalmine report ."
"""Commands that the page names. They work in its folder."""


def render(story: Story) -> str:
    """The page."""
    cards = story.unpassed[:_CARDS]
    stage_marks = marks(story, Times(story.start, story.end))
    return _environment().get_template("report.html.j2").render(
        story=story,
        run=story.run,
        cards=[(exhibit, proof.panel(story, exhibit)) for exhibit in cards],
        carded={exhibit.name for exhibit in cards},
        more=len(story.unpassed) - len(cards),
        shown=_shown(story, cards),
        panels=charts.panels(story),
        boxes=charts.strip(story),
        stage_marks=stage_marks,
        stage_frame=charts.framed(stage_marks.rows, _STRIP),
        groups=_groups(story.run.nodes),
        events=_events(story),
        started=datetime.fromtimestamp(story.start, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        again=AGAIN,
        anew=ANEW,
    )  # fmt: skip


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("orchestrator.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "figure": figure, "implied": implied, "amount": amount, "counted": _counted
    }  # fmt: skip
    return environment


def _shown(story: Story, cards: Sequence[Exhibit]) -> dict[str, list[tuple[Exhibit, charts.Panel | None]]]:
    """The gates of each stage, those that did not pass first, with the charts of those that have no card."""
    ranks = {exhibit.name: index for index, exhibit in enumerate(story.unpassed)}
    carded = {exhibit.name for exhibit in cards}
    rows: dict[str, list[tuple[Exhibit, charts.Panel | None]]] = {stage.name: [] for stage in story.stages}
    for exhibit in sorted(story.exhibits, key=lambda exhibit: ranks.get(exhibit.name, len(ranks))):
        own = exhibit.series and exhibit.name not in carded
        rows[exhibit.gate.stage].append((exhibit, proof.panel(story, exhibit) if own else None))
    return rows


def _groups(nodes: tuple[Node, ...]) -> list[dict[str, object]]:
    """One row per node group, so that a thousand nodes are still about a dozen rows."""
    ordered = sorted(nodes, key=lambda node: (node.chain != "relay", node.chain, node.role, node.group, node.ordinal))
    rows = []
    for (chain, role, group), members in groupby(ordered, key=lambda node: (node.chain, node.role, node.group)):
        found = list(members)
        span = found[0].name if len(found) == 1 else f"{found[0].name} … {found[-1].name}"
        authorities = sum(node.authority for node in found)
        row = {"chain": chain, "role": role, "group": group, "count": len(found), "span": span}
        rows.append({**row, "authorities": authorities})
    return rows


def _events(story: Story) -> list[dict[str, object]]:
    actions = {stage.name: stage.action for stage in story.stages}

    def told(event: Event) -> dict[str, object]:
        said = sentence(event, actions.get(event.stage or "", ""))
        return {"at": event.at, "stage": event.stage or "", "said": said, "trouble": event.name in TROUBLE}

    return [told(event) for event in story.events]


def _counted(findings: Sequence[NodeFinding]) -> str:
    """How many findings have each verdict, in the order in which the verdicts first come."""
    return ", ".join(f"{count} {verdict.lower()}" for verdict, count in Counter(f.verdict for f in findings).items())
