"""What may stand in files: every kind with all that is inside it, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import BaseModel

from orchestrator.cli.reference.markdown import capital, table
from orchestrator.spec import ChaosExperiment, Gate, Rehearsal, RuntimeUpgrade, Testnet
from orchestrator.spec.explain import Explanation, Section, sections
from orchestrator.spec.status import ExperimentStatus, UpgradeStatus
from orchestrator.spec.use import Use

_LONGEST = 45
"""Characters of a pattern from which on it tells nobody anything."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A page about something that stands in files: its models by the path under which they stand there."""

    page: str
    title: str
    about: str
    roots: tuple[tuple[str, type[BaseModel]], ...]


_KINDS = (
    _Kind("testnet", "Testnet", "What `coalmine up` brings up.", (("Testnet", Testnet),)),
    _Kind(
        "gate",
        "Gate",
        "An item of a stage's `gates`. It needs exactly one source (`signal`, `promql`, `chainRead`, `storage`, "
        "`chainEvents`, `logs`, `pods`, `measured`) and exactly one threshold. `use` stands for gates of the library.",
        (("Gate", Gate), ("use", Use)),
    ),
    _Kind(
        "chaosexperiment",
        "ChaosExperiment",
        "The `spec` is also what stands in a stage as `experiment`.",
        (("ChaosExperiment", ChaosExperiment), ("status", ExperimentStatus)),
    ),
    _Kind(
        "runtimeupgrade",
        "RuntimeUpgrade",
        "The `spec` is also what stands in a stage as `upgrade`.",
        (("RuntimeUpgrade", RuntimeUpgrade), ("status", UpgradeStatus)),
    ),
    _Kind("rehearsal", "Rehearsal", "What `coalmine run` does with a network.", (("Rehearsal", Rehearsal),)),
)


@dataclass
class _Places:
    """Where each model is described. A model that stands in several places is described where it stands first."""

    found: dict[type[BaseModel], str] = field(default_factory=dict)

    def claim(self, kind: _Kind) -> Iterator[tuple[str, Section]]:
        """The sections that belong on a page, with their headings."""
        for name, model in kind.roots:
            for section in sections(name, model):
                if section.model in self.found:
                    continue
                heading = section.itself.path if name != kind.title else section.itself.path.partition(".")[2]
                anchor = f"#{heading.replace('.', '').lower()}" if heading else ""
                self.found[section.model] = f"{kind.page}.md{anchor}"
                yield heading, section


def pages() -> dict[str, str]:
    """The page of each kind, by its name."""
    places = _Places()
    return {kind.page: _page(kind, places) for kind in _KINDS}


def _page(kind: _Kind, places: _Places) -> str:
    parts = [f"# {kind.title}\n\n{kind.about}\n"]
    for heading, section in tuple(places.claim(kind)):
        above = f"## {heading}\n\n" if heading else ""
        choice = f"Exactly one of {_words(section.itself.alternatives)}." if section.itself.alternatives else ""
        said = " ".join(part for part in (section.itself.sentence, choice) if part)
        rows = [_field(*one, places) for one in section.fields]
        parts.append(above + (f"{said}\n\n" if said else "") + table(("field", "type", "default", "meaning"), rows))
    return "\n".join(parts)


def _field(told: Explanation, holds: type[BaseModel] | None, places: _Places) -> tuple[str, ...]:
    name = f"`{told.path.rpartition('.')[2]}`"
    if holds is not None and holds in places.found:
        name = f"[{name}]({places.found[holds]})"
    unit = f", {told.unit.partition(':')[0]}" if told.unit else ""
    notes = [_limit(limit) for limit in dict.fromkeys(told.limits) if len(limit) <= _LONGEST]
    if told.alternatives and holds is None:
        words = _words(told.alternatives)
        notes.append(f"one of {words}" if len(told.alternatives) > 1 else f"always {words}")
    more = f" {capital('; '.join(notes))}." if notes else ""
    return name, told.type + unit, _default(told), told.sentence + more


def _default(told: Explanation) -> str:
    if told.required:
        return "**required**"
    return f"`{told.default}`" if told.default and told.default != "empty" else told.default or ""


def _limit(limit: str) -> str:
    like = limit.removeprefix("like ")
    return limit if like == limit else f"like `{like}`"


def _words(alternatives: tuple[str, ...]) -> str:
    return ", ".join(f"`{word.lower() if word == str(True) else word}`" for word in alternatives)
