"""The lab's own processes, started as `python -m orchestrator.lab PROCESS NAME` by `native`, `guardian` and `supervisor`."""

import sys

from orchestrator.lab import guardian, storage, supervisor

PROCESSES = {"guardian": guardian.main, "supervisor": supervisor.main, "storage": storage.main}

PROCESSES[sys.argv[1]](sys.argv[2])
