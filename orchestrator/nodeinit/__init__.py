"""What a node's init container does: its own keys, the chain specs, its database, the start barrier.

Run as `python3 -m orchestrator.nodeinit`. The seed is mounted there and nowhere else in the pod. Only this pod's keys
are derived, into a memory volume.
"""

from orchestrator.nodeinit.barrier import wait_at_barrier
from orchestrator.nodeinit.chainspecs import assemble
from orchestrator.nodeinit.keystore import write_keys

__all__ = ["assemble", "wait_at_barrier", "write_keys"]
