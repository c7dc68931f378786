"""Generates the Grafana board and the Prometheus rules from the catalogue, so that they always agree with it.

The files in `dashboards/` must equal what `generate` returns; a test checks that. promtool tests the rules.
"""

import itertools
import json
from collections.abc import Iterator

import yaml

from orchestrator.metrics.signals import CATALOGUE, Signal

BOARD = "dashboards/network.json"
RULES = "dashboards/rules/coalmine.yaml"

_OURS = 'network!=""'
"""The label by which our networks differ from anything else that the same Prometheus scrapes."""

_RECORDED = (
    ("best-height", "max"),
    ("finalized-height", "min"),
    ("finality-lag", "max"),
    ("peers", "min"),
    ("approval-lag", "max"),
    ("beefy-lag", "max"),
)
"""The recording rules of each chain: the signal, and how its nodes become one figure."""

_COLUMNS, _WIDTH, _HEIGHT = 3, 8, 8

_UNITS = {"s": "s", "bytes": "bytes", "ratio": "percentunit"}
"""Grafana's names of units. All other units are plain numbers."""

_HEADER = "# Generated from orchestrator/metrics/signals.py; see orchestrator/metrics/dashboards.py.\n"


def generate() -> dict[str, str]:
    """Path in the repository -> text of each file."""
    rules = {"groups": [{"name": "coalmine", "rules": [*_recordings(), *_alerts()]}]}
    text = yaml.safe_dump(rules, sort_keys=False, width=110, allow_unicode=True)
    return {BOARD: json.dumps(_board(), indent=2) + "\n", RULES: _HEADER + text}


def _recordings() -> list[dict[str, object]]:
    return [
        {
            "record": _recorded(name, aggregate),
            "expr": f"{aggregate} by (network, chain) ({_everywhere(CATALOGUE[name])})",
        }
        for name, aggregate in _RECORDED
    ]


def _alerts() -> list[dict[str, object]]:
    best, final = _recorded("best-height", "max"), _recorded("finalized-height", "min")
    where = "{{ $labels.chain }} of {{ $labels.network }}"
    node = "{{ $labels.node }} of {{ $labels.network }}"
    behind = "{{ $value }} blocks"
    return [
        _alert("CoalmineNoBlocks", f"delta({best}[1m]) <= 0", "1m", f"No block on {where} for a minute."),
        _alert(
            "CoalmineFinalityStalled",
            f"delta({final}[1m]) <= 0 and delta({best}[1m]) > 0",
            "1m",
            f"Finality stands still on {where} while blocks go on.",
        ),
        _alert(
            "CoalmineFinalityLag",
            f"{_recorded('finality-lag', 'max')} > 10",
            "1m",
            f"Finality is {behind} behind on {where}.",
        ),
        _alert(
            "CoalmineApprovalLag",
            f"{_recorded('approval-lag', 'max')} > 10",
            "1m",
            f"Approval checking holds finality back by {behind} on {where}.",
        ),
        _alert(
            "CoalmineBeefyLag",
            f"{_recorded('beefy-lag', 'max')} > 40",
            "1m",
            f"BEEFY is {behind} behind finality on {where}.",
        ),
        _alert("CoalmineDispute", _grown("disputes", "5m"), "0m", f"{node} has seen a dispute."),
        _alert("CoalmineDisputeLost", _grown("disputes-lost", "5m"), "0m", f"{node} saw a candidate condemned."),
        _alert("CoalmineNoShows", _grown("no-shows", "5m", 5), "1m", f"{node} counts many no-shows."),
        _alert("CoalmineImportFailures", _grown("import-failures", "5m"), "0m", f"{node} refused blocks."),
        _alert(
            "CoalmineRestarted",
            f"changes({_everywhere(CATALOGUE['process-start'])}[5m]) > 0",
            "0m",
            f"{node} restarted.",
        ),
        _alert("CoalmineLonely", f"{_everywhere(CATALOGUE['peers'])} == 0", "1m", f"{node} has no peers."),
        _alert("CoalmineNodeDown", f'up{{{_OURS},node!=""}} == 0', "1m", f"{node} does not answer."),
        _alert(
            "CoalmineTaskPanic", f"({_everywhere(CATALOGUE['task-panics'])}) > 0", "0m", f"A task panicked on {node}."
        ),
    ]


def _grown(name: str, span: str, more_than: int = 0) -> str:
    """A query that is true if a counter grew by more than `more_than` within the span.

    It uses the signal's own expression, which is 0 before a counter appears with its first use.
    """
    return f"increase(({_everywhere(CATALOGUE[name])})[{span}:]) > {more_than}"


def _alert(name: str, expression: str, lasting: str, summary: str) -> dict[str, object]:
    return {
        "alert": name,
        "expr": expression,
        "for": lasting,
        "labels": {"severity": "warning"},
        "annotations": {"summary": summary},
    }


def _recorded(name: str, aggregate: str) -> str:
    return f"coalmine:{name.replace('-', '_')}:{aggregate}"


def _everywhere(signal: Signal) -> str:
    return signal.promql.replace("$selector", _OURS)


def _board() -> dict[str, object]:
    return {
        "uid": "coalmine-network",
        "title": "coalmine: network",
        "description": "Every signal of coalmine's catalogue, node by node.",
        "tags": ["coalmine"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "5s",
        "time": {"from": "now-30m", "to": "now"},
        "annotations": {"list": [_faults(), _phases()]},
        "templating": {"list": [_source(), _variable("network"), _variable("chain"), _variable("role")]},
        "panels": list(_panels()),
    }


def _panels() -> Iterator[dict[str, object]]:
    """A row for each concern, with the panels of its signals below."""
    number, top = itertools.count(1), 0
    for concern, signals in itertools.groupby(CATALOGUE.values(), key=lambda signal: signal.concern):
        place = {"h": 1, "w": _COLUMNS * _WIDTH, "x": 0, "y": top}
        yield {"id": next(number), "type": "row", "title": concern, "collapsed": False, "gridPos": place, "panels": []}
        top += 1
        drawn = list(signals)
        for index, signal in enumerate(drawn):
            row, column = divmod(index, _COLUMNS)
            yield _panel(next(number), signal, x=column * _WIDTH, y=top + row * _HEIGHT)
        top += _HEIGHT * -(-len(drawn) // _COLUMNS)


def _faults() -> dict[str, object]:
    """Annotations of the time in which a fault is in place on any node, as reported by the controller."""
    return _annotation(
        "Faults", 'sum by (experiment, fault) (coalmine_disturbance_active{network="$network"}) > 0', "red",
        "{{experiment}}", "{{fault}} is in place",
    )  # fmt: skip


def _phases() -> dict[str, object]:
    """Annotations where an experiment or an upgrade entered a phase. A phase's counter appears with its first use."""
    counter = 'coalmine_phase_changes_total{network="$network"}'
    return _annotation(
        "Phases", f"({counter} unless {counter} offset 15s) or (increase({counter}[15s]) > 0)", "blue",
        "{{kind}}", "{{phase}}",
    )  # fmt: skip


def _annotation(name: str, expression: str, colour: str, title: str, text: str) -> dict[str, object]:
    return {
        "name": name,
        "enable": True,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "expr": expression,
        "step": "5s",
        "iconColor": colour,
        "titleFormat": title,
        "textFormat": text,
    }


def _source() -> dict[str, object]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(label: str) -> dict[str, object]:
    """A variable with the values of a label. Several may be chosen, except for the network."""
    return {
        "name": label,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": f"label_values(up{{{_OURS}}}, {label})",
        "refresh": 2,
        "multi": label != "network",
        "includeAll": label != "network",
        "allValue": ".*",
    }


def _panel(number: int, signal: Signal, *, x: int, y: int) -> dict[str, object]:
    chosen = 'network="$network",chain=~"$chain",role=~"$role"'
    return {
        "id": number,
        "type": "timeseries",
        "title": f"{signal.title}, a minute" if _counted(signal) else signal.title,
        "description": signal.sentence,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"h": _HEIGHT, "w": _WIDTH, "x": x, "y": y},
        "fieldConfig": {
            "defaults": {"unit": _UNITS.get(signal.unit, "short"), "custom": _axis(signal)},
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": "A", "expr": _drawn(signal).replace("$selector", chosen), "legendFormat": "{{node}} {{chain}}"}
        ],
    }


def _counted(signal: Signal) -> bool:
    return signal.kind != "gauge"


def _drawn(signal: Signal) -> str:
    """The query that a panel shows: growth per minute for counters, and the ratio that gates use for block time."""
    if signal.derive == "seconds-per-growth":
        return f"60 / delta({signal.promql}[1m])"
    return f"60 * rate(({signal.promql})[1m:])" if _counted(signal) else signal.promql


def _axis(signal: Signal) -> dict[str, object]:
    return {"axisLabel": signal.unit, "lineWidth": 1, "fillOpacity": 0, "spanNulls": False}
