"""A throwaway local Kubernetes, for users who have no cluster. Called by `cli` and by the tests."""

from orchestrator.lab.native import Lab, LabStatus, down, find, running, status, up
from orchestrator.progress import Progress

__all__ = ["Lab", "LabStatus", "Progress", "down", "find", "running", "status", "up"]
