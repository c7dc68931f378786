"""The kopf operator: it watches the namespace and gives each object a task that steps it until it ends.

Nothing is decided here. Pods come from kopf's indices, which are complete before any handler runs and then follow the
watch. When an object is deleted, its task stops and the deletion handler takes over: it holds the object with kopf's
finalizer until everything is undone. When the controller exits, its successor and the agents continue.
"""

import logging
from typing import Any

import kopf

from chaos.experiments import Experiments
from chaos.nodes import agent_of, node_of
from chaos.tasks import Tasks
from chaos.upgrades.tasks import Upgrades
from orchestrator.spec import API_VERSION

_GROUP, _, _VERSION = API_VERSION.partition("/")
_COMPONENT = "app.kubernetes.io/component"


def settings() -> kopf.OperatorSettings:
    """Settings that store kopf's state in objects under our own names and keep it within our namespace."""
    chosen = kopf.OperatorSettings()
    chosen.persistence.finalizer = f"{_GROUP}/recover-first"
    chosen.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=_GROUP)
    chosen.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix=_GROUP)
    chosen.scanning.disabled = True
    chosen.background.cancellation_polling = 1.0
    chosen.execution.default_backoff = 1.0
    chosen.posting.level = logging.WARNING
    chosen.posting.reporting_component = "coalmine"
    chosen.posting.event_name_prefix = "coalmine-"
    chosen.watching.server_timeout = 300
    return chosen


def registry(experiments: Experiments, upgrades: Upgrades) -> kopf.OperatorRegistry:
    """All handlers, bound to the tasks that they run."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    _add_indices(handlers)
    _add_tasks(handlers, "chaosexperiments", experiments)
    _add_tasks(handlers, "runtimeupgrades", upgrades)
    return handlers


def _add_indices(handlers: kopf.OperatorRegistry) -> None:
    @kopf.index("v1", "pods", id="nodes", labels={_COMPONENT: "node"}, registry=handlers)
    def nodes(body: kopf.Body, name: str, **_: Any) -> dict[str, Any]:
        node = node_of(body)
        return {name: node} if node is not None else {}

    @kopf.index("v1", "pods", id="agents", labels={_COMPONENT: "agent"}, registry=handlers)
    def agents(body: kopf.Body, **_: Any) -> dict[str, Any]:
        agent = agent_of(body)
        return {agent.machine: agent} if agent is not None else {}

    @kopf.index(_GROUP, _VERSION, "chaosexperiments", id="claims", registry=handlers)
    def claims(name: str, status: kopf.Status, **_: Any) -> dict[str, Any]:
        holds = status.get("phase") in {"Injecting", "Active", "Recovering"}
        return {name: (status.get("fault"), frozenset(status.get("nodes", ())))} if holds else {}


def _add_tasks(handlers: kopf.OperatorRegistry, plural: str, tasks: Tasks[Any]) -> None:
    @kopf.daemon(_GROUP, _VERSION, plural, id=f"step-{plural}", registry=handlers, backoff=1.0)
    async def task(body: kopf.Body, stopped: kopf.DaemonStopped, **kwargs: Any) -> None:
        await tasks.run(body, kwargs, stopped)

    @kopf.on.delete(_GROUP, _VERSION, plural, id=f"recover-{plural}", registry=handlers, backoff=1.0)
    async def deleted(body: kopf.Body, **kwargs: Any) -> None:
        await tasks.finish(body, kwargs)
