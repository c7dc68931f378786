"""Signals of the node as a program: whether it runs, is connected, works, and gets what it needs of its machine.

Part of `signals.CATALOGUE`. What concerns the machine is measured by the agents, every second and of every client.
"""

from orchestrator.metrics.signal import COLLATORS, PROCESSES, VALIDATORS, about, gauge, lazy

_node = about("node")
_network = about("network")
_machine = about("machine")

NODE = (
    _node(
        "up", "Scrapes answered", "1 when the node answered Prometheus' last scrape, 0 when it did not.",
        "", "higher", "gauge", gauge("up"),
    ),
    _node(
        "process-start", "Start of the process",
        "When the node's process started, in Unix seconds. It grows only with a restart.",
        "s", "neither", "gauge", gauge("substrate_process_start_time_seconds"), monotone=True,
    ),
    _node(
        "task-panics", "Panicked tasks", "Tasks of the node that ended in a panic since it started.",
        "", "lower", "counter", lazy("substrate_tasks_ended_total", 'reason="panic"'), monotone=True,
    ),
    _node(
        "memory", "Resident memory", "Memory that the node's process has in use.",
        "bytes", "lower", "gauge", gauge("polkadot_memory_resident"), PROCESSES,
    ),
)  # fmt: skip

NETWORK = (
    _network(
        "peers", "Peers", "Peers that the node syncs with. It reacts slowly to a partition and does not prove one.",
        "", "higher", "gauge", gauge("substrate_sync_peers"),
    ),
    _network(
        "connections", "Connected peers", "Peers to which the node has a connection of any kind.",
        "", "higher", "gauge", gauge("substrate_sub_libp2p_peers_count"),
    ),
    _network(
        "bytes-received", "Bytes received", "Bytes that came from peers since the node started.",
        "bytes", "neither", "counter", gauge("substrate_sub_libp2p_network_bytes_total", 'direction="in"'),
        monotone=True,
    ),
    _network(
        "bytes-sent", "Bytes sent", "Bytes that went to peers since the node started.",
        "bytes", "neither", "counter", gauge("substrate_sub_libp2p_network_bytes_total", 'direction="out"'),
        monotone=True,
    ),
    _network(
        "request-failures", "Failed requests", "Requests of the node that failed at a peer.",
        "", "lower", "counter", lazy("substrate_sub_libp2p_requests_out_failure_total", 'reason=~".+"'),
        monotone=True,
    ),
    _network(
        "stale-downloads", "Stale downloads", "Blocks that a peer had promised and did not deliver in time.",
        "blocks", "lower", "counter", gauge("substrate_sync_stale_download_reservations_total"), monotone=True,
    ),
    _network(
        "known-authorities", "Known authorities", "Authorities whose addresses the node has found in the DHT.",
        "", "higher", "gauge", gauge("substrate_authority_discovery_known_authorities_count"), VALIDATORS,
    ),
    _network(
        "unresolved-collators", "Collators not found", "Authorities of the parachain that the collator has not found.",
        "", "lower", "gauge", gauge("collator_discovery_unresolved_authorities"), COLLATORS,
    ),
)  # fmt: skip

MACHINE = (
    _machine(
        "cpu-wait", "Waiting for a CPU",
        "Share of the time in which the node's threads wanted a CPU that they waited for one; at 0.5 its work takes "
        "twice as long.",
        "ratio", "lower", "gauge", gauge("coalmine_node_cpu_wait_ratio"),
    ),
    _machine(
        "cpu-delay", "Delay for want of a CPU",
        "Share of the time for which threads of the node waited for a CPU, all together and at most 1. Work that "
        "never rests would have been done that much earlier. A node that is nearly idle has little of it, however "
        "busy its machine is.",
        "ratio", "lower", "gauge", gauge("coalmine_node_cpu_delay_ratio"),
    ),
    _machine(
        "cpu-throttled", "Throttled by its CPU limit",
        "Share of the periods (of 0.1 s) in which the node used up its own CPU limit; 0 without one.",
        "ratio", "lower", "gauge", gauge("coalmine_node_cpu_throttled_ratio"),
    ),
    _machine(
        "cpu-steal", "Stolen by the hypervisor",
        "Share of the CPU time of the node's machine that its hypervisor gave to others.",
        "ratio", "lower", "gauge", gauge("coalmine_machine_cpu_steal_ratio"),
    ),
    _machine(
        "memory-stall", "Waiting for memory",
        "Share of the time in which some process of the node stood still for memory; of its machine, where the kernel "
        "does not say it of pods.",
        "ratio", "lower", "gauge", gauge("coalmine_node_memory_stall_ratio"),
    ),
    _machine(
        "disk-stall", "Waiting for the disk",
        "Share of the time in which some process of the node stood still for a disk; of its machine, where the kernel "
        "does not say it of pods.",
        "ratio", "lower", "gauge", gauge("coalmine_node_io_stall_ratio"),
    ),
    _machine(
        "clock-offset", "Clock offset",
        "How far the clock of the node's machine is from the controller's, either way; exact to half of a round trip "
        "between them, which the agents report as coalmine_machine_clock_offset_error_seconds.",
        "s", "lower", "gauge", f"abs({gauge('coalmine_machine_clock_offset_seconds')})",
    ),
)  # fmt: skip
