"""The Grafana board and the Prometheus rules, generated from the catalogue so that they cannot say anything else.

The files in `dashboards/` are what `generate` returns; a test holds them to it, and promtool tests the rules.
"""

import json

import yaml

from orchestrator.metrics.signals import CATALOGUE, Signal

BOARD = "dashboards/network.json"
RULES = "dashboards/rules/coalmine.yaml"

_OURS = 'network!=""'
"""In a Prometheus that watches more than our networks, only ours carry this label."""

_HEADER = "# Generated from orchestrator/metrics/signals.py; see orchestrator/metrics/dashboards.py.\n"


def generate() -> dict[str, str]:
    """Path in the repository -> text of each file."""
    rules = {"groups": [{"name": "coalmine", "rules": [*_recordings(), *_alerts()]}]}
    text = yaml.safe_dump(rules, sort_keys=False, width=110, allow_unicode=True)
    return {BOARD: json.dumps(_board(), indent=2) + "\n", RULES: _HEADER + text}


def _recordings() -> list[dict[str, object]]:
    wanted = [("best-height", "max"), ("finalized-height", "min"), ("finality-lag", "max"), ("peers", "min")]
    return [
        {
            "record": _recorded(name, aggregate),
            "expr": f"{aggregate} by (network, chain) ({_everywhere(CATALOGUE[name])})",
        }
        for name, aggregate in wanted
    ]


def _alerts() -> list[dict[str, object]]:
    best, final = _recorded("best-height", "max"), _recorded("finalized-height", "min")
    lag, panics = _recorded("finality-lag", "max"), _everywhere(CATALOGUE["task-panics"])
    where = "{{ $labels.chain }} of {{ $labels.network }}"
    node = "{{ $labels.node }} of {{ $labels.network }}"
    return [
        _alert("CoalmineNoBlocks", f"delta({best}[1m]) <= 0", "1m", f"No block on {where} for a minute."),
        _alert(
            "CoalmineFinalityStalled",
            f"delta({final}[1m]) <= 0 and delta({best}[1m]) > 0",
            "1m",
            f"Finality stands still on {where} while blocks go on.",
        ),
        _alert("CoalmineFinalityLag", f"{lag} > 10", "1m", f"Finality is {{{{ $value }}}} blocks behind on {where}."),
        _alert("CoalmineNodeDown", f"up{{{_OURS}}} == 0", "1m", f"{node} does not answer."),
        _alert("CoalmineTaskPanic", f"({panics}) > 0", "0m", f"A task panicked on {node}."),
    ]


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
    signals = list(CATALOGUE.values())
    return {
        "uid": "coalmine-network",
        "title": "coalmine: network",
        "description": "Every signal of coalmine's catalogue, node by node.",
        "tags": ["coalmine"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "5s",
        "time": {"from": "now-30m", "to": "now"},
        "templating": {"list": [_source(), _variable("network"), _variable("chain"), _variable("role")]},
        "panels": [_panel(index, signal) for index, signal in enumerate(signals)],
    }


def _source() -> dict[str, object]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(label: str) -> dict[str, object]:
    """A choice among the label's values; several at once except for the network."""
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


def _panel(index: int, signal: Signal) -> dict[str, object]:
    chosen = 'network="$network",chain=~"$chain",role=~"$role"'
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": signal.title,
        "description": signal.sentence,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"h": 8, "w": 8, "x": 8 * (index % 3), "y": 8 * (index // 3)},
        "fieldConfig": {
            "defaults": {"unit": "s" if signal.unit == "s" else "short", "custom": _axis(signal)},
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": "A", "expr": _drawn(signal).replace("$selector", chosen), "legendFormat": "{{node}} {{chain}}"}
        ],
    }


def _drawn(signal: Signal) -> str:
    """What a board shows of a ratio, which gates derive from the samples themselves."""
    return f"60 / delta({signal.promql}[1m])" if signal.derive == "seconds-per-growth" else signal.promql


def _axis(signal: Signal) -> dict[str, object]:
    return {"axisLabel": signal.unit, "lineWidth": 1, "fillOpacity": 0, "spanNulls": False}
