"""A node's init container: it writes the node's keys, chain specs and database, then waits at the start barrier.

It runs as `python3 -m orchestrator.nodeinit`. In the pod, only it has the seed. It derives only this pod's keys and
writes them into a memory volume.
"""

from orchestrator.nodeinit.barrier import wait_at_barrier
from orchestrator.nodeinit.chainspecs import assemble
from orchestrator.nodeinit.keystore import write_keys

__all__ = ["assemble", "wait_at_barrier", "write_keys"]
