"""Renders `result.json`: the run's outcome for programs. Its keys are stable within one `schemaVersion`."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from orchestrator.journal import Verdict
from orchestrator.report.story import Story

SCHEMA_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, ser_json_inf_nan="strings")


class NodeResult(_Part):
    """What a gate found about one node, or about one view of several nodes."""

    node: str
    verdict: Verdict
    reason: str
    value: float | None


class GateResult(_Part):
    """One gate, with the worst value that was seen and the query that shows it. `why` is its author's; may be empty."""

    stage: str
    gate: str
    verdict: Verdict
    reason: str
    threshold: str
    query: str
    value: float | None
    unit: str
    node: str | None
    when: float | None
    block: int | None
    spared: tuple[str, ...]
    why: str
    nodes: tuple[NodeResult, ...]


class RunResult(_Part):
    """A run. Times are in Unix seconds."""

    schema_version: int = SCHEMA_VERSION
    run: str
    coalmine: str
    testnet: str
    rehearsal: str
    context: str
    simulated: bool
    verdict: Verdict
    exit_code: int
    reason: str
    outcome: str
    started: float
    ended: float
    genesis: dict[str, str]
    images: dict[str, str]
    nodes: int
    gates: tuple[GateResult, ...]


def result(story: Story) -> RunResult:
    """The result of a run."""
    run = story.run
    return RunResult(
        run=run.run,
        coalmine=run.version,
        testnet=run.testnet.name,
        rehearsal=run.rehearsal.name,
        context=run.context,
        simulated=run.simulated,
        verdict=story.verdict.verdict,
        exit_code=story.verdict.exit_code,
        reason=story.verdict.reason,
        outcome=story.outcome,
        started=story.start,
        ended=story.end,
        genesis=run.genesis,
        images=story.images,
        nodes=len(run.nodes),
        gates=tuple(
            GateResult.model_validate(exhibit.gate.model_dump() | {"why": exhibit.why}) for exhibit in story.exhibits
        ),
    )


def render(story: Story) -> str:
    """The JSON text."""
    return result(story).model_dump_json(by_alias=True, indent=2) + "\n"
