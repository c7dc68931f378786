"""The controller's client for the agents: HTTP to their pods. Every answer, or no answer, is an `ActionOutcome`."""

from pathlib import Path
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from chaos.nodes import Agent
from chaos.scene import ActionOutcome, AskAgent, End, Place, ProbeFrom
from chaos.wire import Ended, Placed, ProbeAnswer, ProbeOrder, Survey
from orchestrator import tcp_ports

PROBE_SECONDS = 1.2
"""Time limit of one connection: longer than a SYN retransmission, so that one lost packet does not look like a cut."""

_FINAL = frozenset({400, 401, 409})


class Agents:
    """Talks to all agents of the cluster. Safe to use from many threads."""

    def __init__(self, token_file: Path, *, port: int = tcp_ports.AGENT) -> None:
        self._token_file = token_file
        self._port = port
        limits = httpx.Limits(max_connections=128, max_keepalive_connections=16)
        self._http = httpx.Client(timeout=httpx.Timeout(30.0, connect=2.0), limits=limits, trust_env=False)

    def act(self, action: Place | End | ProbeFrom | AskAgent, agent: Agent | None) -> ActionOutcome:
        """Lets the agent of the action's machine do the action. Never raises: a failure is in the outcome."""
        if agent is None:
            return ActionOutcome(action, failure=f"there is no agent on {action.machine}")
        if isinstance(action, Place):
            return self._ask(agent, action, "PUT", _path(action.fault_id), Placed, action.order)
        if isinstance(action, End):
            return self._ask(agent, action, "DELETE", _path(action.fault_id), Ended)
        if isinstance(action, AskAgent):
            return self._ask(agent, action, "GET", "/faults", Survey)
        endpoints = (*action.across, *action.within)
        if not endpoints:
            return ActionOutcome(action, ProbeAnswer(probes=()))
        order = ProbeOrder(pod_uid=action.pod_uid, endpoints=endpoints, timeout_seconds=PROBE_SECONDS)
        return self._ask(agent, action, "POST", "/probe", ProbeAnswer, order)

    def _ask(
        self,
        agent: Agent,
        action: Place | End | ProbeFrom | AskAgent,
        method: str,
        path: str,
        answer: type[Placed] | type[Ended] | type[Survey] | type[ProbeAnswer],
        order: BaseModel | None = None,
    ) -> ActionOutcome:
        headers = {"Authorization": f"Bearer {self._token_file.read_text().strip()}"}
        content = order.model_dump_json() if order is not None else None
        url = f"http://{agent.ip}:{self._port}{path}"
        try:
            response = self._http.request(method, url, headers=headers, content=content)
        except httpx.HTTPError as error:
            return ActionOutcome(
                action, failure=f"the agent on {agent.machine} does not answer: {type(error).__name__}"
            )
        try:
            if response.is_success:
                return ActionOutcome(action, answer.model_validate_json(response.content))
            reason = response.json()["error"]
        except (ValidationError, ValueError, KeyError):
            return ActionOutcome(
                action, failure=f"the agent on {agent.machine} answers {response.status_code} with an unreadable body"
            )
        return ActionOutcome(action, failure=str(reason), refused=response.status_code in _FINAL)


def _path(fault_id: str) -> str:
    return f"/faults/{quote(fault_id, safe='')}"
