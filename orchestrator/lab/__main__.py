"""The lab's own processes, as `python -m orchestrator.lab PROCESS NAME`: what it starts outlives or contains others."""

import sys

from orchestrator.lab import docker_engine, guardian, storage, supervisor

PROCESSES = {
    "guardian": guardian.main,
    "supervisor": supervisor.main,
    "storage": storage.main,
    "engine": docker_engine.main,
}

PROCESSES[sys.argv[1]](sys.argv[2])
