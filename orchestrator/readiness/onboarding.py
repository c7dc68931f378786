"""Gives a running relay chain the parachains and cores that genesis cannot contain. A rung of the readiness ladder.

As root it registers parachains with late onboarding, and assigns cores beyond the first and those for blocks on demand.
Each step reads from the chain what is still missing and sends the next call. So it can be interrupted and continued,
and it sends nothing when everything is there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator import tcp_ports
from orchestrator.chain import ParachainReader, SubstrateReader
from orchestrator.chain.port import POOL, Sent
from orchestrator.cluster import Cluster
from orchestrator.errors import ChainError, ReadinessError, Refused
from orchestrator.genesis import keys
from orchestrator.genesis.chainspec import ChainGenesis, NetworkGenesis
from orchestrator.genesis.keys import KeyPair
from orchestrator.inspection.reach import proxied
from orchestrator.provision import vault
from orchestrator.provision.network import Network
from orchestrator.spec import Parachain
from orchestrator.spec.testnet import RELAY, TestnetSpec

if TYPE_CHECKING:
    from orchestrator.chain.registration import Registrar

_TIMEOUT = 60.0
"""Seconds for one request. A parachain's code is large, goes through the API server, and a busy node checks it."""
_BLOCKS = 10
"""A transaction that is in no block after this many blocks counts as lost. It is sent again if it is still needed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The relay chain's state.

    `lifecycles` is by parachain id, `held` counts cores by holder, `free` lists free cores, `number` counts all cores,
    and `growing` tells that more cores come with a later session.
    """

    lifecycles: Mapping[int, str | None]
    held: Mapping[int, int]
    free: tuple[int, ...]
    number: int
    growing: bool = False


@dataclass(frozen=True, slots=True)
class Register:
    """Root registers a parachain."""

    para_id: int
    lease: bool

    def __str__(self) -> str:
        return f"parachain {self.para_id} is registered"


@dataclass(frozen=True, slots=True)
class Assign:
    """Root gives a core to a parachain, or to the pool."""

    core: int
    holder: int

    def __str__(self) -> str:
        return f"core {self.core} goes to {'blocks on demand' if self.holder == POOL else f'parachain {self.holder}'}"


@dataclass(frozen=True, slots=True)
class Grow:
    """Root sets the number of cores."""

    number: int

    def __str__(self) -> str:
        return f"there are {self.number} cores"


Call = Register | Assign | Grow


def needed(spec: TestnetSpec) -> bool:
    """Whether root must do anything once the relay chain runs."""
    return any(each.onboarding == "late" or each.cores != 1 for each in _parachains(spec))


def next_call(spec: TestnetSpec, seen: Seen) -> Call | None:
    """The next call that brings the chain closer to the file. None if there is nothing to send. Pure."""
    for parachain in _parachains(spec):
        if parachain.onboarding == "late" and seen.lifecycles.get(parachain.id) is None:
            return Register(parachain.id, lease=parachain.cores > 0)
    missing = [holder for holder, count in _wanted(spec).items() for _ in range(count - seen.held.get(holder, 0))]
    if not missing:
        return None
    if seen.free:
        return Assign(seen.free[0], missing[0])
    return None if seen.growing else Grow(seen.number + len(missing))


def waiting(spec: TestnetSpec, seen: Seen) -> dict[str, str]:
    """What is still missing, by chain."""
    found = {}
    for parachain in _parachains(spec):
        lifecycle = seen.lifecycles.get(parachain.id)
        if lifecycle not in {"Parachain", "Parathread"}:
            found[parachain.chain] = f"its lifecycle is {lifecycle or 'not begun'}"
    for holder, count in _wanted(spec).items():
        if (has := seen.held.get(holder, 0)) < count:
            found[f"cores of {holder or 'those on demand'}"] = f"{has} of {count} assigned"
    return found


def _wanted(spec: TestnetSpec) -> dict[int, int]:
    """Number of cores by holder. A parachain with one core is left out, because registration assigns the first core."""
    wanted = {each.id: each.cores for each in _parachains(spec) if each.cores > 1}
    if any(each.cores == 0 for each in _parachains(spec)):
        wanted[POOL] = 1
    return wanted


def _parachains(spec: TestnetSpec) -> Iterator[Parachain]:
    """The parachains that coalmine registers. None on a simulated relay chain, or one whose root is not coalmine's."""
    if not spec.relaychain.simulated and spec.relaychain.runtime is not None:
        yield from (each for each in spec.parachains if each.onboarding != "none")


# Acting


class Onboarding:
    """The rung: each call of `missing` sends the next call as root and returns what is still missing."""

    def __init__(self, reader: SubstrateReader, spec: TestnetSpec, genesis: NetworkGenesis, sudo: KeyPair) -> None:
        self._reader = reader
        self._spec = spec
        self._genesis: dict[int | None, ChainGenesis] = {chain.para_id: chain for chain in genesis.chains}
        self._sudo = sudo
        self._registrar = _registrar(reader, sudo)
        self._under_way: tuple[Call, Sent] | None = None

    def missing(self) -> dict[str, str]:
        """Does one step and returns what is still missing, by chain.

        Raises:
            ReadinessError: a root call failed. The message has the pallet's error.
            Refused: root of the relay chain is somebody else.
        """
        try:
            return self._step()
        except ChainError as error:
            return {RELAY: error.message}

    def _step(self) -> dict[str, str]:
        if self._under_way is not None:
            call, sent = self._under_way
            outcome = self._registrar.outcome(sent)
            if outcome is None and self._reader.best().number < sent.since + _BLOCKS:
                return {RELAY: f"waiting for the block in which {call}"}
            self._under_way = None
            if outcome not in {None, "ok"}:
                raise ReadinessError(f"the root call by which {call} failed: {outcome}")
        seen = self._look()
        call_now = next_call(self._spec, seen)
        if call_now is None:
            return waiting(self._spec, seen)
        self._check_root()
        self._under_way = (call_now, self._send(call_now))
        return {RELAY: f"sent: {call_now}"}

    def _look(self) -> Seen:
        relay = ParachainReader(self._reader)
        lifecycles = {each.id: relay.lifecycle(each.id) for each in _parachains(self._spec)}
        if not _wanted(self._spec):
            return Seen(lifecycles, {}, (), 0)
        cores = self._registrar.cores()
        return Seen(lifecycles, cores.held, cores.free, cores.number, self._registrar.more_cores_come())

    def _send(self, call: Call) -> Sent:
        if isinstance(call, Register):
            made = self._genesis[call.para_id]
            return self._registrar.register(call.para_id, head=made.head, code=made.code, lease=call.lease)
        if isinstance(call, Assign):
            return self._registrar.assign(call.core, call.holder)
        return self._registrar.set_cores(call.number)

    def _check_root(self) -> None:
        if self._reader.sudo() != self._sudo.public:
            raise Refused(
                "root of the relay chain is not this network's, so nothing can be onboarded late",
                hint="only a relay chain with the Sudo pallet, from `runtime`, has a root that coalmine can act as",
            )


def _registrar(reader: SubstrateReader, sudo: KeyPair) -> "Registrar":
    # The SCALE library is slow to load, and most networks have nothing to onboard.
    from orchestrator.chain.registration import Registrar  # noqa: PLC0415

    return Registrar(reader, sudo)


def onboarding(cluster: Cluster, network: Network) -> Onboarding:
    """The rung for a running network. It asks the first relay node and signs with the sudo key from the seed."""
    namespace = network.testnet.namespace
    seed = vault.read_seed(cluster, namespace)
    assert seed is not None  # A running network has a seed.
    node = next(node for node in network.genesis.nodes if node.chain == RELAY)
    reader = SubstrateReader(proxied(cluster, namespace, node.name, tcp_ports.NODE.rpc, timeout=_TIMEOUT))
    return Onboarding(reader, network.testnet.spec, network.genesis, keys.sudo(seed))
