"""Fields of zombienet that a Testnet has no counterpart for, and why. Called by `zombienet`, `chains` and `nodes`."""

from orchestrator import tcp_ports

_TIMEOUT = "every rung of the readiness ladder has a time limit of its own"
_PORTS = "each node has an address of its own, so its ports are the same on all: " + ", ".join(
    str(port) for port in (tcp_ports.NODE.p2p, tcp_ports.NODE.rpc, tcp_ports.NODE.metrics)
)
_TRACING = "coalmine brings no tracing"
_FLAGS = "which flags a client takes is kept in one table by client and version"
_STAKING = "nominators are the preset's; patch `genesis.staking` to have others"
_COMMAND = "coalmine runs no command for a chain spec: run it yourself and name its raw result as `specFile`"
_GENERATOR = "state and code come from the `runtime`; coalmine runs no command for them"
_KEY_TYPES = "the keys follow from the runtime's own session keys"
_BOOTNODES = "the network is kept to itself; its own bootnodes are found by name"
_DELAY = "a delay is a fault: put it into a stage of a Rehearsal, which ends it and judges it"
_OVERRIDES = "files are not put into nodes; build an image that has them"
_KEYSTORE = "keys come from the network's seed; `keys.file` takes secret URIs of one's own"
_SNAPSHOT = "a snapshot is fetched only with its SHA-256: `snapshot: {archive: {url, sha256}}`"

SETTINGS = {
    "timeout": _TIMEOUT,
    "node_spawn_timeout": _TIMEOUT,
    "backchannel": "what one step learns for another is in the journal",
    "polkadot_introspector": "gates read what the introspector reads from the nodes themselves",
    "jaeger_agent": _TRACING,
    "enable_tracing": _TRACING,
    "tracing_collator_url": _TRACING,
    "tracing_collator_service_name": _TRACING,
    "tracing_collator_service_namespace": _TRACING,
    "tracing_collator_service_port": _TRACING,
    "local_ip": "nodes are reached through the API server",
    "node_verifier": "readiness is what a network does, and cannot be turned off",
    "global_volumes": "each node has a volume of its own, and no others",
    "image_pull_policy": "images are pulled when they are not there; name them by digest",
    "global_delay_network_global_settings": _DELAY,
    "bootnode_domain": _BOOTNODES,
    "bootnodes_addresses": _BOOTNODES,
    "grafana": "dashboards/ has a board for your own Grafana",
    "telemetry": "nodes tell nobody outside of their network anything",
    "base_dir": "a network's state stands in its namespace",
    "spawn_concurrency": "all objects are applied at once, and a start barrier releases the nodes",
    "tear_down_on_failure": "a network that failed stays as it is, until `coalmine down` or its ttl",
    "init_containers": "coalmine has init containers of its own, and no others",
}

OBSERVABILITY = {
    "prometheus_port": "Prometheus is reached through the API server",
    "prometheus_image": "the image is the option --prometheus-image of `coalmine up`",
    "grafana_port": "dashboards/ has a board for your own Grafana",
    "grafana_image": "dashboards/ has a board for your own Grafana",
}

CHAIN = {
    "chain_spec_command": _COMMAND,
    "chain_spec_command_is_local": _COMMAND,
    "chain_spec_command_output_path": _COMMAND,
    "post_process_script": _COMMAND,
    "force_decorator": "genesis is built by the runtime itself, which knows its pallets; patch `genesis` for the rest",
    "random_nominators_count": _STAKING,
    "max_nominations": _STAKING,
    "use_stash_for_validators": "a validator's stash is a key of its own, always",
    "default_substrate_cli_args_version": _FLAGS,
    "default_keystore_key_types": _KEY_TYPES,
    "default_delay_network_settings": _DELAY,
    "delay_network_settings": _DELAY,
    "default_overrides": _OVERRIDES,
    "default_db_snapshot": _SNAPSHOT,
    "override_session_0": "genesis has the assignments of cores, so parachains need no other session 0",
    "bootnodes": _BOOTNODES,
    "bootnodes_addresses": _BOOTNODES,
    "no_default_bootnodes": "the first nodes are bootnodes where no group has that role",
}

PARACHAIN = {
    "genesis_wasm_generator": _GENERATOR,
    "genesis_state_path": "the genesis head is computed from the runtime or the spec",
    "genesis_state_generator": _GENERATOR,
    "with_custom_props": "properties of a chain spec are for wallets, and nothing here reads them",
    "balance": "the parachain's account on the relay chain gets nothing; `relaychain.balances` endows any account",
    "initial_balance": "as `balance`",
}

NODE = {
    "rpc_port": _PORTS,
    "ws_port": _PORTS,
    "p2p_port": _PORTS,
    "prometheus_port": _PORTS,
    "p2p_cert_hash": "nodes of one network speak TCP with each other",
    "bootnodes": _BOOTNODES,
    "bootnodes_addresses": _BOOTNODES,
    "overrides": _OVERRIDES,
    "substrate_cli_args_version": _FLAGS,
    "keystore_key_types": _KEY_TYPES,
    "chain_spec_key_types": _KEY_TYPES,
    "keystore_path": _KEYSTORE,
    "override_eth_key": _KEYSTORE,
    "node_log_path": "`coalmine logs` reads them",
    "log_path": "`coalmine logs` reads them",
    "db_snapshot": _SNAPSHOT,
    "delay_network_settings": _DELAY,
    "telemetry": "nodes tell nobody outside of their network anything",
    "telemetry_url": "as `telemetry`",
    "jaeger_url": _TRACING,
}

TOP = {
    "types": "metadata tells the types; nobody needs to",
    "custom_processes": "a network is its nodes; run other programs beside it, against its Services",
}
