"""Metrics in Prometheus' text format, with the exact names, types and labels of the real clients (`polkadot` 1.25).

Values are read at each scrape; the real client updates some gauges only every five seconds. Metrics of things that the
model does not do are left out, not shown as a constant.
"""

import mmap
from collections.abc import Callable, Iterable
from pathlib import Path

from simnode import VERSION
from simnode.core.chain import ChainNode
from simnode.core.para import ParaNode
from simnode.core.relay import RelayNode
from simnode.transport import Network

Value = float | int
Labels = dict[str, str]


class Histogram:
    """Counts observations into buckets."""

    def __init__(self, *bounds: float) -> None:
        self._bounds = bounds
        self._counts = [0] * len(bounds)
        self._sum = 0.0
        self._count = 0

    def observe(self, values: Iterable[float]) -> None:
        for value in values:
            self._sum += value
            self._count += 1
            for index, bound in enumerate(self._bounds):
                self._counts[index] += value <= bound

    def lines(self, name: str, labels: str) -> list[str]:
        buckets = [
            f'{name}_bucket{{{labels},le="{bound:g}"}} {count}'
            for bound, count in zip(self._bounds, self._counts, strict=True)
        ]
        return [
            *buckets,
            f'{name}_bucket{{{labels},le="+Inf"}} {self._count}',
            f"{name}_sum{{{labels}}} {self._sum}",
            f"{name}_count{{{labels}}} {self._count}",
        ]


class Page:
    """The page of one scrape. Every line has the constant label `chain`."""

    def __init__(self, chain: str) -> None:
        self._constant = f'chain="{_escaped(chain)}"'
        self._lines: list[str] = []

    def gauge(self, name: str, text: str, *values: tuple[Labels, Value]) -> None:
        self._family(name, "gauge", text, values)

    def counter(self, name: str, text: str, *values: tuple[Labels, Value]) -> None:
        self._family(name, "counter", text, values)

    def histogram(self, name: str, text: str, values: Histogram) -> None:
        self._lines += [f"# HELP {name} {text}", f"# TYPE {name} histogram", *values.lines(name, self._constant)]

    def _family(self, name: str, kind: str, text: str, values: tuple[tuple[Labels, Value], ...]) -> None:
        self._lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for labels, value in values:
            own = "".join(f'{key}="{_escaped(label)}",' for key, label in labels.items())
            self._lines.append(f"{name}{{{own}{self._constant}}} {value}")

    def render(self) -> bytes:
        return ("\n".join(self._lines) + "\n").encode()


class Metrics:
    """The metrics of one chain's node."""

    def __init__(
        self,
        node: ChainNode,
        network: Network,
        *,
        chain: str,
        name: str,
        started: float,
        ended: dict[tuple[str, str], int],
    ) -> None:
        self._node = node
        self._network = network
        self._chain = chain
        self._name = name
        self._started = started
        self._ended = ended
        self._constructed = Histogram(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
        self._backed = Histogram(6, 12, 18, 24, 30)
        self._segment = Histogram(0, 1, 2, 3, 4, 5, 8, 12, 16, 24)
        self.collator: Callable[[], ParaNode | None] = lambda: None
        """The parachain node around an embedded relay node."""
        self.resident: Callable[[], int] = resident
        """Bytes of the process; a process of a test holds many nodes."""

    def render(self) -> bytes:
        page = Page(self._chain)
        self._common(page)
        if isinstance(self._node, RelayNode):
            self._relay(page, self._node)
            self._validator(page, self._node)
        if isinstance(self._node, ParaNode):
            self._parachain(page, self._node)
        return page.render()

    def _common(self, page: Page) -> None:
        node, network = self._node, self._network
        best, final = node.best_number, node.tree.finalized_number
        self._constructed.observe(node.construction)
        node.construction.clear()
        page.gauge(
            "substrate_block_height",
            "Block height info of the chain",
            ({"status": "best"}, best),
            ({"status": "finalized"}, final),
            ({"status": "sync_target"}, max(best, node.sync.target())),
        )
        page.gauge("substrate_number_leaves", "Number of known chain leaves (aka forks)", ({}, len(node.tree.leaves())))
        role = 4 if node.authority is not None else 1
        page.gauge("substrate_node_roles", "The roles the node is running as", ({}, role))
        page.gauge("substrate_process_start_time_seconds", "Seconds since the epoch at the start", ({}, self._started))
        page.gauge(
            "substrate_build_info",
            "A metric with a constant '1' value labeled by name, version",
            ({"name": self._name, "version": VERSION}, 1),
        )
        page.gauge("substrate_ready_transactions_number", "Transactions in the ready queue", ({}, len(node.pool.ready)))
        page.counter(
            "substrate_sub_txpool_submitted_txs_total",
            "Total number of transactions submitted",
            ({}, node.pool.submitted),
        )
        page.gauge("substrate_sync_queued_blocks", "Number of blocks in import queue", ({}, node.sync.queued()))
        page.gauge("substrate_sub_libp2p_peers_count", "Number of connected peers", ({}, len(network.peers)))
        page.counter(
            "substrate_sub_libp2p_network_bytes_total",
            "Total bandwidth usage",
            ({"direction": "in"}, network.bytes_in),
            ({"direction": "out"}, network.bytes_out),
        )
        page.gauge("substrate_sync_peers", "Number of peers we sync with", ({}, len(node.peers)))
        page.gauge(
            "substrate_sub_libp2p_is_major_syncing",
            "Whether the node is performing a major sync or not.",
            ({}, int(node.major_syncing())),
        )
        page.histogram("substrate_proposer_block_constructed", "Time taken to construct new block", self._constructed)
        page.counter(
            "substrate_import_queue_processed_total",
            "Blocks processed by import queue",
            *(({"result": result}, count) for result, count in sorted(node.sync.results.items())),
        )
        page.counter(
            "substrate_tasks_ended_total",
            "Total number of tasks for which Future::poll has returned Ready(()) or panicked",
            *(
                ({"task_name": name, "reason": reason, "task_group": "default", "kind": "async"}, count)
                for (name, reason), count in sorted(self._ended.items())
            ),
        )

    def _relay(self, page: Page, node: RelayNode) -> None:
        grandpa = node.grandpa
        page.gauge(
            "substrate_finality_grandpa_round", "Highest completed GRANDPA round.", ({}, max(0, grandpa.round - 1))
        )
        page.counter(
            "substrate_finality_grandpa_prevotes_total",
            "Total number of GRANDPA prevotes cast locally.",
            ({}, grandpa.counted[0]),
        )
        page.counter(
            "substrate_finality_grandpa_precommits_total",
            "Total number of GRANDPA precommits cast locally.",
            ({}, grandpa.counted[1]),
        )
        validator = int(node.authority is not None)
        page.gauge(
            "polkadot_node_is_active_validator", "Tracks if the validator is in the active set.", ({}, validator)
        )
        page.gauge(
            "polkadot_node_is_parachain_validator",
            "Tracks if the validator participates in parachain consensus.",
            ({}, validator),
        )
        page.gauge(
            "polkadot_parachain_peer_count",
            "The number of peers on a parachain-related peer-set",
            ({"protocol": "validation/3"}, sum(info.authority is not None for info in node.peers.values())),
        )
        page.gauge(
            "polkadot_parachain_desired_peer_count",
            "The number of peers that the local node is expected to connect to on a parachain-related peer-set",
            ({"protocol": "validation"}, node.authorities - 1 if validator else 0),
        )
        page.gauge("polkadot_memory_resident", "Bytes allocated by the node, and held in RAM", ({}, self.resident()))
        para = self.collator()
        if para is not None:
            page.counter(
                "polkadot_parachain_collations_generated_total", "Number of collations generated.", ({}, para.generated)
            )
            page.counter(
                "polkadot_parachain_collations_sent_total", "Number of collations sent.", ({}, node.collations_sent)
            )

    def _validator(self, page: Page, node: RelayNode) -> None:
        """The parachain subsystems. Approvals and disputes are not simulated, hence never hold finality back."""
        counters = node.candidates.counters
        for name, text in (
            (
                "polkadot_parachain_approval_checking_finality_lag",
                "How far behind the head approval checking wants to vote",
            ),
            ("polkadot_parachain_disputes_finality_lag", "How far behind the head the disputes protocol wants to vote"),
        ):
            page.gauge(name, text, ({}, 0))
        for name, text, value in (
            (
                "polkadot_parachain_candidate_backing_candidates_seconded_total",
                "Candidates seconded.",
                counters.seconded,
            ),
            ("polkadot_parachain_candidate_backing_signed_statements_total", "Statements signed.", counters.statements),
            ("polkadot_parachain_bitfields_signed_total", "Number of bitfields signed.", counters.bitfields),
            (
                "polkadot_parachain_received_availability_chunks_total",
                "Number of availability chunks received.",
                counters.chunks,
            ),
            ("polkadot_parachain_candidate_disputes_total", "Total number of raised disputes.", 0),
            ("polkadot_pvf_prepare_enqueued", "Preparation jobs enqueued.", counters.prepare_enqueued),
            ("polkadot_pvf_prepare_concluded", "Preparation jobs concluded.", counters.prepare_concluded),
            ("polkadot_pvf_precheck_votes_total", "The total number of votes submitted.", counters.precheck_votes),
        ):
            page.counter(name, text, ({}, value))

    def _parachain(self, page: Page, node: ParaNode) -> None:
        self._backed.observe(node.backed_after)
        self._segment.observe(node.segment_sizes)
        node.backed_after.clear()
        node.segment_sizes.clear()
        page.histogram(
            "parachain_block_backed_duration", "Time between authoring a block and seeing it backed", self._backed
        )
        page.histogram(
            "parachain_unincluded_segment_size",
            "Number of blocks between best block and last included block",
            self._segment,
        )


def resident() -> int:
    """Bytes of memory of the process, for all its nodes together, as the kernel reports."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
