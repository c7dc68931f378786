"""The content of a report, computed once from the journal. Pure.

Every format uses it, so that no two formats can disagree.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.gates import verdict
from orchestrator.gates.judge import RunVerdict
from orchestrator.gates.timeline import Timeline
from orchestrator.journal import Chart, Clock, Event, Journal, RunStarted, Verdict
from orchestrator.report.costs import Cost, costs
from orchestrator.report.exhibits import Exhibit, exhibits
from orchestrator.report.links import NOWHERE, Links
from orchestrator.report.stages import Band, StageStory, stages

TROUBLE = ("upgrade.failed", "experiment.failed", "nodes.behind", "run.aborted")
"""Events that readers look for first."""


@dataclass(frozen=True, slots=True)
class Story:
    """A run from its start to its last entry."""

    run: RunStarted
    verdict: RunVerdict
    outcome: str
    start: float
    end: float
    stages: tuple[StageStory, ...]
    exhibits: tuple[Exhibit, ...]
    """One for each gate, in the order of the rehearsal."""
    costs: tuple[Cost, ...]
    events: tuple[Event, ...]
    charts: tuple[Chart, ...]
    timeline: Timeline
    images: dict[str, str]
    torn: bool
    links: Links

    @property
    def bands(self) -> tuple[Band, ...]:
        return tuple(band for stage in self.stages for band in stage.bands)

    @property
    def unpassed(self) -> tuple[Exhibit, ...]:
        """The gates that did not pass, worst first. The first one decided, unless the run's end did."""
        bad = (one for one in self.exhibits if one.gate.verdict is not Verdict.PASSED)
        return tuple(sorted(bad, key=lambda one: -verdict.rank(one.gate.verdict)))

    @property
    def deciding(self) -> Exhibit | None:
        """The gate that the run's reason is about. None if all passed, or if how the run ended outranks the gates."""
        first = next(iter(self.unpassed), None)
        return first if first is not None and first.gate.verdict is self.verdict.verdict else None

    def since(self, when: float | None) -> str:
        """Time since the start of the run, such as `+3:07`."""
        if when is None:
            return ""
        minutes, seconds = divmod(round(when - self.start), 60)
        return f"+{minutes}:{seconds:02d}" if minutes >= 0 else "before"

    def clock(self, when: float) -> str:
        """Wall-clock time in UTC, such as `14:13:20`; with the day if the run is longer than one."""
        long = self.end - self.start > 86400
        return datetime.fromtimestamp(when, tz=UTC).strftime("%m-%d %H:%M" if long else "%H:%M:%S")

    def chain(self, when: float) -> str:
        """The relay chain's best block at that time, such as `#143`. Empty if it is not known."""
        block = self.timeline.block(when)
        return f"#{block}" if block is not None else ""

    def headline(self) -> str:
        """How many gates have each verdict, worst first: `2 failed, 19 passed`."""
        said = [gate.verdict for gate in self.verdict.every]
        ranked = sorted(set(said), key=verdict.rank, reverse=True)
        return ", ".join(f"{said.count(one)} {one.lower()}" for one in ranked) or "no gates"


def tell(journal: Journal, run_verdict: RunVerdict, links: Links = NOWHERE) -> Story:
    """The content of the reports on a run. `links` say where its samples can be looked at.

    Raises:
        UsageError: the journal has no `run.started`, so it does not say what was run.
    """
    run = journal.started
    times = [entry.at for entry in journal.entries]
    start = next((e.at for e in journal.all(Event) if e.name == "run.start"), run.at)
    found = tuple(stages(journal, run_verdict, max(times)))
    timeline = Timeline.of(journal.all(Clock))
    finished = journal.finished
    return Story(
        run=run,
        verdict=run_verdict,
        outcome=finished.outcome if finished else "cut short",
        start=start,
        end=max(*times, start + 1.0),
        stages=found,
        exhibits=tuple(exhibits(journal, found)),
        costs=tuple(costs(run, found, timeline)),
        events=tuple(sorted(journal.all(Event), key=lambda event: event.at)),
        charts=journal.all(Chart),
        timeline=timeline,
        images=journal.images,
        torn=journal.torn,
        links=links,
    )
