"""What a verb may not import: whoever asks for a version does not wait for Pulumi.

Each row is run as a user would run it, in a process of its own; then its modules are looked at. In newer versions Typer
itself reads values with pydantic, so only what reads none does without.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from orchestrator import cli
from orchestrator.cli.verbs import VERBS

ROOT = Path(__file__).parents[2]
QUICKSTART = "examples/quickstart.yaml"
ABSENT = ("--lab", "nowhere")

PROMETHEUS = {"prometheus_api_client", "pandas", "matplotlib", "numpy"}
PULUMI = {"pulumi", "pulumi_kubernetes", "grpc"}
CHAINS = {"wasmtime", "scalecodec", "Crypto", "bip39"}
CLUSTER = {"kubernetes", "docker", "testcontainers", "cryptography", "sr25519", "httpx", "tenacity", "elftools"}
HEAVY = PROMETHEUS | PULUMI | CHAINS | CLUSTER | {"jinja2", "zstandard"}
OURS = {f"orchestrator.{layer}" for layer in ("run", "lab", "provision", "inspection.networks", "render", "cluster")}
NOTHING_YET = HEAVY | OURS | {"orchestrator.spec", "orchestrator.metrics", "promql_parser", "yaml", "rich"}
FILES_ONLY = HEAVY | OURS | {"orchestrator.genesis", "orchestrator.chain", "orchestrator.engine.port"}
RECORD_ONLY = FILES_ONLY - {"jinja2", "numpy", "orchestrator.run"}  # Its report is a page, its samples are arrays.
CLUSTER_ONLY = (
    PROMETHEUS | PULUMI | {"wasmtime", "scalecodec", "jinja2", "promql_parser"}
    | {"orchestrator.genesis.chainspec", "orchestrator.engine.port"}
    | {f"orchestrator.{layer}" for layer in ("readiness", "provision", "render", "gates", "journal", "run")}
)  # fmt: skip

ROWS = {
    "--help": (0, "orchestrator.cli.snapshot", NOTHING_YET | {"pydantic"}),
    "run --help": (0, "orchestrator.cli.run", NOTHING_YET),
    "version": (0, "orchestrator.cli.version", NOTHING_YET),
    "explain testnet.spec": (0, "orchestrator.spec.explain", FILES_ONLY | {"yaml", "rich", "orchestrator.metrics"}),
    f"validate {QUICKSTART}": (0, "orchestrator.spec.load", FILES_ONLY),
    "judge examples": (2, "orchestrator.gates.judge", RECORD_ONLY),
    "report examples": (2, "orchestrator.report", RECORD_ONLY),
    "gates list": (0, "orchestrator.gates.library", FILES_ONLY | {"orchestrator.gates.mutate"}),
    "gates mutate examples": (2, "orchestrator.gates.mutate", RECORD_ONLY),
    "get nodes": (2, "orchestrator.inspection.networks", CLUSTER_ONLY | {"orchestrator.chain", "httpx"}),
    "describe testnet net": (2, "orchestrator.inspection.live", CLUSTER_ONLY),
    "logs": (2, "orchestrator.inspection.log_lines", CLUSTER_ONLY),
    "rpc validator-0 system_health": (2, "orchestrator.inspection.live", CLUSTER_ONLY),
    "wait --for ready": (2, "orchestrator.inspection.conditions", CLUSTER_ONLY),
    "top": (2, "orchestrator.inspection.live", CLUSTER_ONLY),
    f"up {QUICKSTART} --context nowhere": (4, "orchestrator.provision.network", PROMETHEUS),
}
"""Command line -> its exit code, a module that shows that it came to its work, and what it may not import.

What asks a cluster asks for a lab that is not there, if it names none: all its imports are behind it by then.
"""

_PROGRAM = """
import atexit, os, sys
atexit.register(lambda: os.write(3, " ".join(sys.modules).encode()))
from orchestrator.cli import main
main()
"""


def run(tmp_path, line, **environment):
    """The process when it has ended, and the names of the modules that it had imported by then."""
    kept = tmp_path / "modules"
    # The list of modules goes to a file that the process has open as 3, for stdout and stderr are the verb's.
    command = ["sh", "-c", f'exec "$@" 3>{kept}', "sh", sys.executable, "-c", _PROGRAM, *line.split()]
    env = {"PATH": os.environ["PATH"], "HOME": "/nowhere", **environment}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=env)
    return done, set(kept.read_text().split())


def within(modules, names):
    """Those of the names that are among the modules, or have a module below them there."""
    return {name for name in names if any(f"{module}.".startswith(f"{name}.") for module in modules)}


@pytest.mark.parametrize("line", ROWS)
def test_a_verb_imports_only_what_it_works_with(tmp_path, line):
    code, work, forbidden = ROWS[line]
    asks_a_lab = code == 2 and "examples" not in line
    done, modules = run(tmp_path, " ".join((line, *ABSENT)) if asks_a_lab else line)
    assert done.returncode == code, done.stderr
    assert work in modules
    assert not within(modules, forbidden)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("coalmine va", "validate"), ("coalmine lab st", "status"), ("coalmine run --en", "--engine")],
)
def test_completion_of_verbs_and_options_imports_none_of_it(tmp_path, typed, offered):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done, modules = run(tmp_path, "", _COALMINE_COMPLETE="complete_bash", **words)
    assert done.stdout.split() == [offered]
    assert not within(modules, NOTHING_YET)


def test_the_table_has_every_verb_by_its_name_and_with_what_it_does():
    commands = typer.main.get_command(cli.app).commands
    assert list(commands) == list(VERBS)
    for name, command in commands.items():
        assert command.name == name
        assert command.help, name


def test_help_has_whole_sentences(tmp_path):
    shown = " ".join(run(tmp_path, "--help")[0].stdout.split())
    assert "run Rehearse: bring the network up, put it through every stage, judge, report, take it down. judge" in shown


def test_a_verb_that_is_nearly_right_is_guessed(tmp_path):
    done, _ = run(tmp_path, "verzion")
    assert (done.returncode, "Did you mean 'version'?" in done.stderr) == (2, True)
