"""`Rehearsal`: the stages that a network goes through and the gates that it must pass. Read by `load`, run by `run`."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from orchestrator.spec.base import Metadata, Model, Name
from orchestrator.spec.experiment import ChaosExperimentSpec
from orchestrator.spec.gate import Gate
from orchestrator.spec.upgrade import RuntimeUpgradeSpec
from orchestrator.spec.use import Use
from orchestrator.units import Duration


def _or_use(schema: dict[str, Any]) -> None:
    """Changes the schema: in a file, an item may also name gates of the library. `load` replaces it."""
    schema["items"] = {"anyOf": [schema["items"], Use.model_json_schema(by_alias=True)]}


class Stage(Model):
    """One step of a rehearsal: a hold, a fault or an upgrade, with the gates that judge it."""

    name: Name = Field(description="The stage's name, in the report.")
    hold: Duration = Field(default=0.0, description="How long the stage lasts at least.")
    experiment: ChaosExperimentSpec | None = None
    upgrade: RuntimeUpgradeSpec | None = None
    gates: tuple[Gate, ...] = Field(
        min_length=1,
        description="At least one gate; a stage without gates proves nothing. `{use: baseline}` uses gates of the "
        "library.",
        json_schema_extra=_or_use,
    )
    left_out: dict[str, str] = Field(
        default_factory=dict,
        description="Gates of the library that cannot be judged on this network, and why. coalmine itself writes this.",
    )

    @model_validator(mode="after")
    def _sound(self) -> Self:
        problems = []
        names = [gate.name for gate in self.gates]
        problems += [f"two gates are called {name}" for name in sorted({n for n in names if names.count(n) > 1})]
        if self.experiment is not None and self.upgrade is not None:
            problems.append("experiment and upgrade exclude each other in one stage")
        if self.experiment is None and self.upgrade is None and self.hold == 0.0:
            problems.append("nothing happens in this stage: give hold, experiment or upgrade")
        for gate in self.gates:
            for anchor in gate.anchors():
                if anchor.moment.startswith(("inject.", "recover.")) and self.experiment is None:
                    problems.append(f"gate {gate.name} waits for {anchor}, but the stage has no experiment")
                if anchor.moment.startswith("upgrade.") and self.upgrade is None:
                    problems.append(f"gate {gate.name} waits for {anchor}, but the stage has no upgrade")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class RehearsalSpec(Model):
    testnet: Name = Field(description="The name of the Testnet, in this file or another given file.")
    stages: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [stage.name for stage in self.stages]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"two stages are called {', '.join(twice)}")
        return self


class Rehearsal(Model):
    """A rehearsal of a network: `kind: Rehearsal`."""

    api_version: Literal["coalmine.dev/v1alpha1"] = Field(default="coalmine.dev/v1alpha1", description="The format.")
    kind: Literal["Rehearsal"] = Field(description="What this object is.")
    metadata: Metadata = Field(description="The object's name and labels.")
    spec: RehearsalSpec = Field(description="The network and its stages.")

    @property
    def name(self) -> str:
        return self.metadata.name
