"""The metrics that signals read: their kind, which clients have them, since when, and which appear only when used.

The table comes from real nodes. Names of 1.25.1 and omni-node 0.24.0 come from scrapes. Names of 1.22.0 and 1.24.0, and
labelled counters that an idle node does not show, come from the strings in the binaries. About other versions nothing
is known; `exposed` says so and does not guess.
"""

from dataclasses import dataclass
from typing import Literal

from orchestrator import releases

Kind = Literal["gauge", "counter", "histogram"]

Release = tuple[int, int]

RELEASES: dict[str, Release] = {each.name: each.line for each in releases.RELEASES}
"""The supported release lines of nodes, by the version in `substrate_build_info`.

Collators show the same numbers: `polkadot-omni-node` 0.24.0 shows 1.25.1 on both of its pages.
"""

NEWEST: Release = max(RELEASES.values())

PROMETHEUS_OWN = frozenset({"up", "scrape_duration_seconds", "scrape_samples_scraped"})
"""Series that Prometheus itself adds for each scrape. They are not on a client's page."""

AGENTS = frozenset(
    {
        "coalmine_node_cpu_wait_ratio",
        "coalmine_node_cpu_delay_ratio",
        "coalmine_node_memory_stall_ratio",
        "coalmine_node_io_stall_ratio",
        "coalmine_node_cpu_throttled_ratio",
        "coalmine_machine_cpu_steal_ratio",
        "coalmine_machine_clock_offset_seconds",
        "coalmine_machine_clock_offset_error_seconds",
    }
)
"""What the agents measure, of every node of whatever client."""

ELSEWHERE = PROMETHEUS_OWN | AGENTS
"""Metrics with a node's labels that are not on its own page, so that nothing can be missing there."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric family of a real client.

    `lazy`: a counter with labels, which the client does not show, not even its type, before its first use (Rust's
    prometheus crate leaves out families without samples). `since`: the first line of `RELEASES` that has it, None for
    all. `simulated`: the simulated client has it too, because its model knows the value.
    """

    name: str
    kind: Kind
    lazy: bool = False
    since: Release | None = None
    simulated: bool = False

    def samples(self) -> tuple[str, ...]:
        """The names of its samples on the page."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("substrate_block_height", "gauge", simulated=True),
        Metric("substrate_proposer_block_constructed", "histogram", simulated=True),
        Metric("substrate_proposer_end_proposal_reason", "counter", lazy=True),
        Metric("substrate_number_leaves", "gauge", simulated=True),
        Metric("substrate_import_queue_processed_total", "counter", lazy=True, simulated=True),
        Metric("substrate_sub_libp2p_is_major_syncing", "gauge", simulated=True),
        Metric("substrate_sync_queued_blocks", "gauge", simulated=True),
        Metric("substrate_finality_grandpa_round", "gauge", simulated=True),
        Metric("substrate_finality_grandpa_prevotes_total", "counter", simulated=True),
        Metric("substrate_finality_grandpa_precommits_total", "counter", simulated=True),
        Metric("substrate_beefy_best_block", "gauge"),
        Metric("substrate_beefy_lagging_sessions", "counter"),
        Metric("substrate_beefy_equivocation_votes", "counter"),
        Metric("substrate_ready_transactions_number", "gauge", simulated=True),
        Metric("substrate_sub_txpool_submitted_txs_total", "counter", simulated=True),
        Metric("substrate_sub_txpool_finalized_txs_total", "counter"),
        Metric("substrate_sub_txpool_reported_invalid_txs_total", "counter"),
        Metric("substrate_process_start_time_seconds", "gauge", simulated=True),
        Metric("substrate_tasks_ended_total", "counter", lazy=True, simulated=True),
        Metric("polkadot_memory_resident", "gauge", simulated=True),
        Metric("substrate_sync_peers", "gauge", simulated=True),
        Metric("substrate_sub_libp2p_peers_count", "gauge", simulated=True),
        Metric("substrate_sub_libp2p_network_bytes_total", "counter", simulated=True),
        Metric("substrate_sub_libp2p_requests_out_failure_total", "counter", lazy=True),
        Metric("substrate_sync_stale_download_reservations_total", "counter", since=(1, 25)),
        Metric("substrate_authority_discovery_known_authorities_count", "gauge"),
        Metric("collator_discovery_unresolved_authorities", "gauge"),
        Metric("polkadot_node_is_active_validator", "gauge", simulated=True),
        Metric("polkadot_node_is_parachain_validator", "gauge", simulated=True),
        Metric("polkadot_parachain_candidate_backing_candidates_seconded_total", "counter", simulated=True),
        Metric("polkadot_parachain_candidate_backing_signed_statements_total", "counter", simulated=True),
        Metric("polkadot_parachain_bitfields_signed_total", "counter", simulated=True),
        Metric("polkadot_parachain_received_availability_chunks_total", "counter", simulated=True),
        Metric("polkadot_parachain_fetched_chunks_total", "counter", lazy=True),
        Metric("polkadot_parachain_fetched_povs_total", "counter", lazy=True),
        Metric("polkadot_parachain_availability_recovery_recoveries_finished", "counter", lazy=True),
        Metric("polkadot_parachain_collation_requests_total", "counter", lazy=True),
        Metric("polkadot_parachain_collations_generated_total", "counter", simulated=True),
        Metric("polkadot_parachain_collations_sent_total", "counter", simulated=True),
        Metric("parachain_block_backed_duration", "histogram", simulated=True),
        Metric("polkadot_parachain_peer_count", "gauge", simulated=True),
        Metric("polkadot_parachain_desired_peer_count", "gauge", simulated=True),
        Metric("polkadot_parachain_approval_checking_finality_lag", "gauge", simulated=True),
        Metric("polkadot_parachain_approvals_no_shows_total", "counter"),
        Metric("polkadot_parachain_approvals_observed_no_shows_total", "counter"),
        Metric("polkadot_parachain_approval_unapproved_candidates_in_unfinalized_chain", "gauge"),
        Metric("polkadot_parachain_approvals_produced_total", "counter", lazy=True),
        Metric("polkadot_parachain_candidate_disputes_total", "counter", simulated=True),
        Metric("polkadot_parachain_candidate_dispute_concluded", "counter", lazy=True),
        Metric("polkadot_parachain_disputes_finality_lag", "gauge", simulated=True),
        Metric("polkadot_parachain_dispute_participation_priority_queue_size", "gauge"),
        Metric("polkadot_pvf_prepare_enqueued", "counter", simulated=True),
        Metric("polkadot_pvf_prepare_concluded", "counter", simulated=True),
        Metric("polkadot_pvf_execute_finished", "counter"),
        Metric("polkadot_pvf_precheck_votes_total", "counter", simulated=True),
        Metric("polkadot_parachain_validation_requests_total", "counter", lazy=True),
    )
}

_PARTS = ("_bucket", "_sum", "_count")


def family(name: str) -> str:
    """The family of a sample's name; for a histogram, the name without its suffix."""
    for part in _PARTS:
        base = name.removesuffix(part)
        if base != name and base in METRICS and METRICS[base].kind == "histogram":
            return base
    return name
