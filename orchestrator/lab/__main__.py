"""The lab's own processes, as `python -m orchestrator.lab PROCESS NAME`: what it starts outlives or contains others."""

import importlib
import sys

MODULES = {"guardian": "guardian", "supervisor": "supervisor", "storage": "storage", "engine": "docker_engine"}

# One at a time: the Kubernetes client, which only one of them needs, takes longer to import than a lab's namespaces.
importlib.import_module(f"orchestrator.lab.{MODULES[sys.argv[1]]}").main(sys.argv[2])
