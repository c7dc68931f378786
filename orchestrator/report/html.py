"""Renders `report.html`: one page without scripts that works offline, in light and dark, and on paper."""

from datetime import UTC, datetime
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined

from orchestrator.journal import Event, Node
from orchestrator.report import charts
from orchestrator.report.story import TROUBLE, Story, figure, implied


def render(story: Story) -> str:
    """The page."""
    template = _environment().get_template("report.html.j2")
    return template.render(
        story=story,
        run=story.run,
        panels=charts.panels(story, story.charts),
        strip=charts.strip(story),
        bands=charts.bands(story),
        across=charts.across(story),
        frame=charts.FRAME,
        groups=_groups(story.run.nodes),
        events=[_event(event) for event in story.events],
        started=datetime.fromtimestamp(story.start, tz=UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("orchestrator.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure, "implied": implied}
    return environment


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


def _event(event: Event) -> dict[str, object]:
    said = (
        f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in event.detail.items()
    )
    trouble = event.name in TROUBLE
    return {"at": event.at, "stage": event.stage or "", "name": event.name, "said": "; ".join(said), "trouble": trouble}
