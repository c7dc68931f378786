"""A network, its agents and a controller in one thread and in virtual time, to put the pure plan through everything.

The agents here keep the contract of the real ones (ledger, hard limit, idempotence) and nothing more. The controller
writes the status, then acts; `crash` drops what it did not write, as a killed process would.
"""

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from chaos import plan
from chaos.nodes import Agent, Node
from chaos.scene import ActionOutcome, AskAgent, DeletePod, End, Experiment, Place, ProbeFrom, World
from chaos.wire import Ended, Placed, Probe, ProbeAnswer, Survey, digest
from orchestrator.spec import ChaosExperimentSpec
from orchestrator.spec.status import ExperimentStatus

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Held:
    pod_uid: str
    order: object
    expires: datetime


@dataclass
class SimulatedAgent:
    machine: str
    faults: dict[str, Held] = field(default_factory=dict)
    unsupported: dict[str, str] = field(default_factory=dict)
    alive: bool = True


@dataclass
class Simulation:
    """Time passes in `tick`s; what is in place is the agents' `faults`, never what the status says."""

    spec: ChaosExperimentSpec
    nodes: dict[str, Node] = field(default_factory=dict)
    agents: dict[str, SimulatedAgent] = field(default_factory=dict)
    now: datetime = START
    written: dict = field(default_factory=dict)
    outcomes: tuple = ()
    deleted: bool = False
    claims: dict = field(default_factory=dict)
    leaking: set = field(default_factory=set)
    severed: set = field(default_factory=set)
    phases: list = field(default_factory=list)
    log: list = field(default_factory=list)
    replaced: dict = field(default_factory=dict)
    _serial: itertools.count = field(default_factory=lambda: itertools.count(1))

    # The network

    def add(self, name, *, role="validator", chain="relay", para_id=None, machine="m1"):
        number = next(self._serial)
        self.nodes[name] = Node(
            name=name,
            group=name.rpartition("-")[0],
            role=role,
            chain=chain,
            para_id=para_id,
            pod_uid=f"{number:08d}-uid",
            machine=machine,
            ips=(f"10.0.{number // 250}.{number % 250 + 1}",),
            container_id=f"{number:064x}",
            ready=True,
        )
        self.agents.setdefault(machine, SimulatedAgent(machine))

    def replace_pod(self, name):
        """The pod dies; its successor runs a second later."""
        old = self.nodes[name]
        for agent in self.agents.values():
            agent.faults = {key: held for key, held in agent.faults.items() if held.pod_uid != old.pod_uid}
        self.add(name, role=old.role, chain=old.chain, para_id=old.para_id, machine=old.machine)
        self.nodes[name] = replace(self.nodes[name], ready=False, container_id=None, ips=())
        self.replaced[name] = self.now + timedelta(seconds=1)

    def restart_container(self, name):
        self.nodes[name] = replace(self.nodes[name], container_id=f"{next(self._serial):064x}")

    def _come_back(self):
        for name, when in list(self.replaced.items()):
            if self.now >= when:
                number = next(self._serial)
                ips = (f"10.0.{number // 250}.{number % 250 + 1}",)
                self.nodes[name] = replace(self.nodes[name], ips=ips, container_id=f"{number:064x}", ready=True)
                del self.replaced[name]

    # What is in place

    def in_place(self):
        return {fault_id: held for agent in self.agents.values() for fault_id, held in agent.faults.items()}

    def cut(self, node, ip):
        """Whether a fault drops packets between a pod and an address, in either direction."""
        other = next((n for n in self.nodes.values() if n.ip == ip), None)
        peers = {
            held.pod_uid: {str(peer) for peer in held.order.peers}
            for held in self.in_place().values()
            if held.order.kind == "partition"
        }
        mine = ip in peers.get(node.pod_uid, ())
        return mine or (other is not None and node.ip in peers.get(other.pod_uid, ()))

    def keep_time(self):
        """What each agent does alone."""
        for agent in self.agents.values():
            if agent.alive:
                agent.faults = {key: held for key, held in agent.faults.items() if held.expires > self.now}

    # The controller

    @property
    def status(self):
        return ExperimentStatus.model_validate(self.written)

    @property
    def experiment(self):
        return Experiment("test", "0f2c7a90-4b1d-uid", 1, self.spec, deleted=self.deleted)

    def tick(self, seconds=0.5, *, crash_after_write=False, crash_after_actions=False):
        """One round: time passes, agents keep it, the controller plans, writes and acts."""
        self.now += timedelta(seconds=seconds)
        self._come_back()
        self.keep_time()
        world = World(
            nodes=dict(self.nodes),
            agents={m: Agent(m, "10.9.9.9", ready=True) for m, agent in self.agents.items()},
            claims=self.claims,
            outcomes=self.outcomes,
        )
        decided = plan.step(self.experiment, self.status, world, self.now)
        self.written = decided.status.model_dump(mode="json", by_alias=True, exclude_none=True)
        if not self.phases or self.phases[-1] != decided.status.phase:
            self.phases.append(decided.status.phase)
        self.outcomes = ()
        if crash_after_write:
            return
        outcomes = tuple(self._act(action) for action in decided.actions)
        self.log.extend(decided.actions)
        self.outcomes = () if crash_after_actions else outcomes

    def run(self, seconds=600.0, until=plan.ENDS):
        end = self.now + timedelta(seconds=seconds)
        while self.status.phase not in until and self.now < end:
            self.tick()
        return self.status

    def _act(self, action):
        if isinstance(action, DeletePod):
            if self.nodes[action.node].pod_uid == action.pod_uid:
                self.replace_pod(action.node)
            return ActionOutcome(action)
        agent = self.agents[action.machine]
        if not agent.alive:
            return ActionOutcome(action, failure="no answer")
        if isinstance(action, AskAgent):
            faults = tuple(self._placed(key, held) for key, held in agent.faults.items())
            return ActionOutcome(action, Survey(faults=faults, unsupported=agent.unsupported))
        if isinstance(action, End):
            agent.faults.pop(action.fault_id, None)
            return ActionOutcome(action, Ended(id=action.fault_id, recovery="taken back"))
        if isinstance(action, Place):
            return self._place(agent, action)
        assert isinstance(action, ProbeFrom)
        node = self.nodes[action.node]
        probes = tuple(self._probe(node, *endpoint) for endpoint in (*action.across, *action.within))
        return ActionOutcome(action, ProbeAnswer(probes=probes))

    def _place(self, agent, action):
        order = action.order
        node = self.nodes[action.node]
        if order.pod_uid != node.pod_uid or (order.kind == "pause" and order.container_id != node.container_id):
            return ActionOutcome(action, failure="gone")
        if order.kind in agent.unsupported:
            return ActionOutcome(action, failure="not on this machine", refused=True)
        expires = self.now + timedelta(seconds=order.ttl_seconds)
        known = agent.faults.get(action.fault_id)
        held = Held(order.pod_uid, order, min(expires, known.expires) if known else expires)
        agent.faults[action.fault_id] = held
        return ActionOutcome(action, self._placed(action.fault_id, held))

    def _placed(self, fault_id, held):
        left = (held.expires - self.now).total_seconds()
        return Placed(
            id=fault_id,
            kind=held.order.kind,
            pod_uid=held.pod_uid,
            digest=digest(held.order),
            effect="placed",
            seconds_left=left,
        )

    def _probe(self, node, ip, port):
        lost = ip in self.severed or (self.cut(node, ip) and ip not in self.leaking)
        outcome = "timeout" if lost else "connected"
        return Probe(ip=ip, port=port, outcome=outcome, milliseconds=1.0)


def spec(**more):
    return ChaosExperimentSpec.model_validate({"duration": "20s", **more})


def quickstart(experiment):
    """Four validators, a bootnode and two collators on two machines."""
    simulation = Simulation(experiment)
    for index in range(4):
        simulation.add(f"validator-{index}", machine=f"m{index % 2}")
    simulation.add("bootnode-0", role="bootnode", machine="m0")
    for index in range(2):
        simulation.add(f"collator-{index}", role="collator", chain="nest", para_id=2000, machine=f"m{index}")
    return simulation


PAUSE = {"pause": {"target": {"authorities": "blocking-third"}}}
KILL = {"kill": {"target": {"nodes": ["validator-0", "validator-3"]}}}
PARTITION = {
    "partition": {"sides": [{"nodes": ["validator-0", "validator-1"]}, {"nodes": ["validator-2", "validator-3"]}]}
}
FAULTS = {"pause": PAUSE, "kill": KILL, "partition": PARTITION}
