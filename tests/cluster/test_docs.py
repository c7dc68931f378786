"""A reader at a terminal: every command of the pages that needs a cluster, in the order of the pages, on one network.

The rule for pages is in tests/docs/pages.py. What needs no cluster is run by tests/docs/test_commands.py.
"""

import os
import shutil
import subprocess

import pytest
import yaml

from orchestrator.engine.embedded import EmbeddedEngine
from orchestrator.provision import network as networks
from tests.docs import pages
from tests.docs.pages import PAGES, ROOT

CONTEXT = "my-cluster"
"""What the pages call the reader's own cluster."""

NAME = "first"
"""The network of the pages."""


class Terminal:
    """A shell with what it remembers, as a reader has one."""

    _END = "ended with"

    def __init__(self, folder, environment):
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environment,
        )

    def run(self, text):
        """Output and exit code."""
        self._shell.stdin.write(f'{text}\necho "{self._END} $?"\n')
        self._shell.stdin.flush()
        lines = []
        for line in self._shell.stdout:
            if line.startswith(self._END):
                return "".join(lines), int(line.split()[-1])
            lines.append(line)
        raise AssertionError(f"the shell has ended: {''.join(lines)}")

    def close(self):
        self._shell.communicate(timeout=10)


@pytest.fixture(scope="module")
def kubectl():
    """The reader's own; the lab itself needs none."""
    if shutil.which("kubectl") is None:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "kubernetes-client"], check=True)


@pytest.fixture
def terminal(lab, cluster, tmp_path):
    """Opens shells in a folder with the examples; afterwards the network of the pages is gone in any case."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    config = yaml.safe_load(lab.kubeconfig.read_text())
    config["contexts"][0]["name"] = config["current-context"] = CONTEXT
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(config))
    path = f"{pages.install(tmp_path / 'bin', lab=lab.name)}:{os.environ['PATH']}"
    opened = []

    def open_():
        opened.append(Terminal(tmp_path, {**os.environ, "PATH": path, "KUBECONFIG": str(tmp_path / "kubeconfig")}))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()
    if cluster.get("Namespace", f"coalmine-{NAME}") is not None:
        networks.down(cluster, EmbeddedEngine(cluster), NAME, lambda _: None)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("kubectl")
def test_a_reader_who_types_every_command_sees_what_the_pages_show(terminal, images):
    ours = {"registry.example/coalmine:1": images.coalmine, "registry.example/prometheus:1": images.prometheus}
    for page in PAGES:
        shell = terminal()
        for block in pages.terminals(page):
            for command in block if not pages.alone(block) else ():
                if command.skipped is not None:
                    continue
                text = command.text
                for shown, real in ours.items():
                    text = text.replace(shown, real)
                output, code = shell.run(text)
                assert code == 0, f"{command}\n{output}"
                assert pages.missing(command.shown, output) is None, f"{command}\n{output}"
