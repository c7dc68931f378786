"""`python3 -m chaos.agent`: one on each machine, privileged, in the machine's PID namespace, on the pod network."""

import logging
import os
from pathlib import Path

from aiohttp import web

from chaos.agent.clock_offset import ClockComparison
from chaos.agent.containers import Machine
from chaos.agent.counters import Counters
from chaos.agent.faults import FaultInjector
from chaos.agent.keeper import Keeper
from chaos.agent.ledger import Ledger
from chaos.agent.metrics_server import CleanupContext, measuring
from chaos.agent.node_pods import NodePods
from chaos.agent.partition import PeerBlocker, supported_backend
from chaos.agent.pause import ProcessStopper
from chaos.agent.sampler import Sampler
from chaos.agent.server import application
from orchestrator import tcp_ports

_LOG = logging.getLogger("chaos.agent")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    namespace = os.environ["POD_NAMESPACE"]
    machine = Machine(
        namespace,
        host_network=Path(os.environ.get("COALMINE_HOST_NETWORK", "/proc/1/ns/net")),
    )
    backend, reason = supported_backend()
    faults: dict[str, FaultInjector] = {"pause": ProcessStopper(machine)}
    if backend is not None:
        faults["partition"] = PeerBlocker(machine, backend)
    keeper = Keeper(
        faults=faults,
        unsupported={"partition": reason} if backend is None else {},
        ledger=Ledger(Path(os.environ.get("COALMINE_LEDGER", "/run/coalmine/ledger"))),
    )
    port = int(os.environ.get("COALMINE_AGENT_PORT", tcp_ports.AGENT))
    token = Path(os.environ.get("COALMINE_TOKEN_FILE", "/etc/coalmine/token/token"))
    _LOG.info("serving namespace %s on port %d, partitions by %s", namespace, port, backend or "nothing: " + reason)
    app = application(keeper, machine, token)
    app.cleanup_ctx.append(_measuring(machine))
    web.run_app(app, port=port, access_log=None, print=None)


def _measuring(machine: Machine) -> CleanupContext:
    sampler = Sampler(
        NodePods(machine),
        Counters(cgroups=Path(os.environ.get("COALMINE_CGROUPS", "/proc/1/root/sys/fs/cgroup"))),
        float(os.environ.get("COALMINE_SCRAPE_SECONDS", "1")),
    )
    clock = ClockComparison(
        os.environ.get(
            "COALMINE_CLOCK", f"http://coalmine-controller.{machine.namespace}.svc:{tcp_ports.CONTROLLER}/time"
        )
    )
    return measuring(sampler, clock, int(os.environ.get("COALMINE_METRICS_PORT", tcp_ports.AGENT_METRICS)))


if __name__ == "__main__":
    main()
