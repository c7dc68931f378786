"""Runs the reconcilers of ChaosExperiments with what the watches show. Called through `operator`."""

import asyncio
from collections.abc import Mapping
from typing import Any

from chaos import metrics, reconciler
from chaos.reconciler import ActionRunner, Reconciler, Surroundings
from chaos.tasks import Tasks

_HOLDING = frozenset({"Injecting", "Active", "Recovering"})


class Experiments(Tasks[Reconciler]):
    kind = "ChaosExperiment"

    def __init__(self, runner: ActionRunner) -> None:
        super().__init__()
        self._runner = runner
        self._selecting = asyncio.Lock()

    def open(self, body: Mapping[str, Any]) -> Reconciler:
        return reconciler.reconciler(body, self._runner)

    async def step(self, one: Reconciler, indices: Mapping[str, Any]) -> float:
        if one.phase == "Pending":
            # One experiment at a time, so that two cannot both find the same node free.
            async with self._selecting:
                pause = await asyncio.to_thread(one.step, self._around(one, indices))
        else:
            pause = await asyncio.to_thread(one.step, self._around(one, indices))
        status = one.status
        placed = sum(entry.placed_at is not None and entry.recovered_at is None for entry in status.ledger)
        active = placed if status.phase in _HOLDING else 0
        metrics.ACTIVE.labels(one.name, one.experiment.kind).set(active)
        return pause

    def refuse(self, body: Mapping[str, Any], cause: str) -> None:
        status = {"status": {"phase": "Failed", "cause": cause}}
        self._runner.cluster.patch(self.kind, body["metadata"]["name"], None, status, subresource="status")

    def forget(self, one: Reconciler) -> None:
        metrics.ACTIVE.remove_by_labels({"experiment": one.name})

    def _around(self, one: Reconciler, indices: Mapping[str, Any]) -> Surroundings:
        claims = {name: claim for name, stored in indices["claims"].items() for claim in stored}
        for other in self.live():
            if other.phase in _HOLDING:
                claims[other.name] = (other.status.fault, frozenset(other.status.nodes))
            else:
                claims.pop(other.name, None)
        return Surroundings(
            nodes={name: _current(stored) for name, stored in indices["nodes"].items()},
            agents={machine: _current(stored) for machine, stored in indices["agents"].items()},
            claims={
                name: nodes
                for name, (kind, nodes) in claims.items()
                if kind == one.experiment.kind and name != one.name
            },
        )


def _current(stored: Any) -> Any:
    """Of the pods under one name, the ready one: the index may still have the old pod beside it."""
    return max(stored, key=lambda item: item.ready)
