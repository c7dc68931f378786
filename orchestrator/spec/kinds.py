"""The kinds of objects that a file may hold. Apart from `load`, because `explain` reads no files."""

from pydantic import BaseModel

from orchestrator.spec.experiment import ChaosExperiment
from orchestrator.spec.rehearsal import Rehearsal
from orchestrator.spec.testnet import Testnet
from orchestrator.spec.upgrade import RuntimeUpgrade

KINDS: dict[str, type[BaseModel]] = {
    "Testnet": Testnet,
    "Rehearsal": Rehearsal,
    "ChaosExperiment": ChaosExperiment,
    "RuntimeUpgrade": RuntimeUpgrade,
}
