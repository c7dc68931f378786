"""Frozen models of everything that a user may write. `load` reads them. CRDs and schemas are made from them."""

from orchestrator.spec.base import API_VERSION, GROUP, VERSION, Span
from orchestrator.spec.experiment import ChaosExperiment, ChaosExperimentSpec, Target
from orchestrator.spec.gate import Gate
from orchestrator.spec.node import NodeGroup, ParaGroup, RelayGroup
from orchestrator.spec.rehearsal import Rehearsal, Stage
from orchestrator.spec.runtime import CodeChunks, ModelRuntime, RuntimeCode
from orchestrator.spec.source import Selector
from orchestrator.spec.testnet import Chain, Parachain, Relaychain, Testnet
from orchestrator.spec.upgrade import RuntimeUpgrade, RuntimeUpgradeSpec
from orchestrator.spec.window import ANCHORS, Anchor, Window

__all__ = [
    "ANCHORS",
    "API_VERSION",
    "GROUP",
    "VERSION",
    "Anchor",
    "Chain",
    "ChaosExperiment",
    "ChaosExperimentSpec",
    "CodeChunks",
    "Gate",
    "ModelRuntime",
    "NodeGroup",
    "ParaGroup",
    "Parachain",
    "Rehearsal",
    "RelayGroup",
    "Relaychain",
    "RuntimeCode",
    "RuntimeUpgrade",
    "RuntimeUpgradeSpec",
    "Selector",
    "Span",
    "Stage",
    "Target",
    "Testnet",
    "Window",
]
