"""Renders `junit.xml` for continuous integration: a suite for each stage, a case for each gate.

FAILED is a failure; ERROR and INCONCLUSIVE are errors. They are not `skipped`, which CI systems show in grey, because
missing evidence is not a pass. The end of the run is a case of its own, so that an interrupted run cannot look green.
"""

import re
from xml.etree import ElementTree as ET

from orchestrator.journal import Verdict
from orchestrator.report.exhibits import Exhibit
from orchestrator.report.stages import StageStory
from orchestrator.report.story import Story

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML does not allow. The message of a panic may contain them."""


def render(story: Story) -> str:
    """The XML text."""
    run = story.run
    suites = ET.Element("testsuites", name=_clean(run.run), time=f"{story.end - story.start:.3f}")
    for stage in story.stages:
        _suite(suites, story, stage)
    _ending(suites, story)
    for kind in ("tests", "failures", "errors"):
        suites.set(kind, str(sum(int(suite.get(kind, "0")) for suite in suites)))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _suite(parent: ET.Element, story: Story, stage: StageStory) -> None:
    lasted = stage.end - stage.start if stage.start is not None and stage.end is not None else 0.0
    suite = _counted(parent, stage.name, [gate.verdict for gate in stage.gates], lasted)
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(story):
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    for exhibit in (one for one in story.exhibits if one.gate.stage == stage.name):
        gate = exhibit.gate
        case = ET.SubElement(suite, "testcase", name=gate.gate, classname=f"{story.run.rehearsal.name}.{stage.name}")
        _outcome(case, gate.verdict, gate.reason, _details(exhibit))


def _counted(parent: ET.Element, name: str, verdicts: list[Verdict], seconds: float) -> ET.Element:
    failures = sum(verdict is Verdict.FAILED for verdict in verdicts)
    errors = sum(verdict in {Verdict.ERROR, Verdict.INCONCLUSIVE} for verdict in verdicts)
    return ET.SubElement(
        parent, "testsuite", name=name, tests=str(len(verdicts)), failures=str(failures), errors=str(errors),
        skipped="0", time=f"{seconds:.3f}",
    )  # fmt: skip


def _properties(story: Story) -> list[tuple[str, str]]:
    run = story.run
    return [
        ("run", run.run),
        ("simulated", str(run.simulated).lower()),
        ("testnet", run.testnet.name),
        *((f"genesis.{chain}", value) for chain, value in run.genesis.items()),
        *((f"image.{image}", digest) for image, digest in story.images.items()),
    ]


def _outcome(case: ET.Element, verdict: Verdict, reason: str, details: str) -> None:
    if verdict is Verdict.PASSED:
        return
    tag = "failure" if verdict is Verdict.FAILED else "error"
    element = ET.SubElement(case, tag, type=verdict.value, message=_clean(reason))
    element.text = _clean(details)


def _details(exhibit: Exhibit) -> str:
    """All that is known of a gate that did not pass: also each node's finding, and the log lines."""
    gate = exhibit.gate
    shown = {
        "why it matters": exhibit.why,
        "asked": gate.threshold,
        "value": gate.value,
        "node": gate.node,
        "relay block": gate.block,
        "query": gate.query,
    }
    told = [f"{name}: {value}" for name, value in shown.items() if value not in {None, ""}]
    told += [f"{found.verdict} {found.node}: {found.reason}" for found in gate.nodes]
    told += [f"log of {line.node}: {line.text}" for line in exhibit.lines]
    return "\n".join(told)


def _ending(parent: ET.Element, story: Story) -> None:
    if story.outcome == "completed":
        return
    verdict = Verdict.ERROR if story.outcome == "error" else Verdict.INCONCLUSIVE
    suite = _counted(parent, "run", [verdict], 0.0)
    case = ET.SubElement(suite, "testcase", name="run-completed", classname=story.run.rehearsal.name)
    _outcome(case, verdict, f"the run was not completed: {story.outcome}", story.verdict.reason)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
