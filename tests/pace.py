"""Where a suite's time goes, and where it stands. A plugin of every run, with worker processes and without.

The longest tests and fixtures are printed at the end, and `--keep-durations FILE` keeps the seconds of all of them. A
test that runs for a minute is named each minute, so that a run that stalls says where.
"""

import json
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest

REMIND = 60.0
"""Seconds between two lines about tests that run that long."""

SHOWN = 20
"""Tests and fixtures that are printed."""


class Pace:
    """Collects durations; in a worker process it hands those of fixtures to the process that started it."""

    def __init__(self, config):
        self.config = config
        self.began = time.monotonic()
        self.tests = defaultdict(float)
        self.fixtures = defaultdict(list)
        self.running = {}
        self.ended = threading.Event()

    # In the process that runs tests

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        began = time.monotonic()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self.fixtures[f"{fixturedef.baseid}::{fixturedef.argname}"].append(time.monotonic() - began)

    def pytest_sessionfinish(self):
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["fixtures"] = json.dumps(self.fixtures)

    # In the process that reports

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node):
        for name, seconds in json.loads(getattr(node, "workeroutput", {}).get("fixtures", "{}")).items():
            self.fixtures[name] += seconds

    def pytest_sessionstart(self):
        if not hasattr(self.config, "workerinput"):
            threading.Thread(target=self._remind, daemon=True).start()

    def pytest_runtest_logstart(self, nodeid):
        self.running[nodeid] = time.monotonic()

    def pytest_runtest_logreport(self, report):
        self.tests[report.nodeid] += report.duration

    def pytest_runtest_logfinish(self, nodeid):
        self.running.pop(nodeid, None)

    def pytest_terminal_summary(self, terminalreporter):
        self.ended.set()
        fixtures = {name: sum(seconds) for name, seconds in self.fixtures.items()}
        for title, seconds in (("tests", self.tests), ("fixtures of wider scope", fixtures)):
            terminalreporter.section(f"longest {title}")
            for name, spent in sorted(seconds.items(), key=lambda item: -item[1])[:SHOWN]:
                terminalreporter.line(f"{spent:8.2f} s  {name}")
        if kept := self.config.getoption("keep_durations"):
            kept.parent.mkdir(parents=True, exist_ok=True)
            total = time.monotonic() - self.began
            document = {"seconds": total, "tests": dict(self.tests), "fixtures": dict(self.fixtures)}
            kept.write_text(json.dumps(document, indent=1))

    def _remind(self):
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        while not self.ended.wait(REMIND):
            for line in overdue(dict(self.running), time.monotonic()):
                terminal.ensure_newline()
                terminal.write_line(line)


def overdue(running, now):
    """A line for each test that has been running for a minute, the longest first."""
    ages = sorted(((now - began, name) for name, began in running.items()), reverse=True)
    return [f"running for {age:.0f} s: {name}" for age, name in ages if age >= REMIND]


def pytest_addoption(parser):
    parser.addoption("--keep-durations", type=Path, metavar="FILE", help="Keep the seconds of tests and fixtures.")


def pytest_configure(config):
    config.pluginmanager.register(Pace(config), "pace")
