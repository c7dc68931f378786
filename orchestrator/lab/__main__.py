"""Starts one of the lab's own processes: `python -m orchestrator.lab PROCESS NAME`."""

import importlib
import sys

MODULES = {"guardian": "guardian", "supervisor": "supervisor", "storage": "storage", "engine": "docker_engine"}

# Only the wanted module is imported. One of them needs the Kubernetes client, and importing that takes longer than
# making a lab's namespaces.
importlib.import_module(f"orchestrator.lab.{MODULES[sys.argv[1]]}").main(sys.argv[2])
