"""The real quickstart on a machine that has no time for it: a compiler's work on every core beside seven real nodes.

A slow machine is no failure of the network, so nothing is FAILED; and it passes no code that breaks a parachain. Three
runs, for what is starved differs from run to run.
"""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.lab import programs
from tests.real.conftest import FOLDER, say

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from orchestrator.cli import main; main()"]
CLIENTS = {
    "polkadot": "polkadot-1.25.1-linux-amd64.tar.zst",
    "polkadot-omni-node": "polkadot-omni-node-0.24.0-linux-amd64.tar.zst",
}
DEFECTIVE = "penpal-3-panics.wasm"
"""Code of which every block panics."""

pytestmark = [pytest.mark.timeout(3600), pytest.mark.cluster]


def _compile() -> None:
    """Work that never rests, as a compiler does it."""
    while True:
        compile("x = [" + ", ".join(map(str, range(2000))) + "]", "busy", "exec")


@pytest.fixture(scope="module")
def busy():
    """A compiler on every core, for all tests of this module."""
    compilers = [multiprocessing.Process(target=_compile, daemon=True) for _ in range(os.cpu_count() or 1)]
    for compiler in compilers:
        compiler.start()
    yield
    for compiler in compilers:
        compiler.kill()
        compiler.join()


@pytest.fixture(scope="module")
def rehearse(lab, images, busy, tmp_path_factory):
    """Runs the example, with the code of its parachain's upgrade replaced. Gives the run's result."""
    options = ["--kubeconfig", str(lab.kubeconfig), "--image", images.coalmine, "--prometheus-image", images.prometheus]
    for name, archive in CLIENTS.items():
        image = programs.made(archive.partition("-linux")[0], (FOLDER / archive,), say)
        lab.load(image, say)
        options += ["--client", f"{name}={image.reference}"]

    def run(code):
        folder = tmp_path_factory.mktemp("starved")
        (folder / "runtimes").symlink_to(FOLDER)
        example = Path(shutil.copy(ROOT / "examples" / "quickstart-real.yaml", folder))
        example.write_text(example.read_text().replace("runtimes/penpal-2.wasm", f"runtimes/{code}"))
        words = ["run", str(example), *options, "--runs", str(folder / "runs")]
        done = subprocess.run([*COMMAND, *words], check=False, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        say(done.stdout)
        (directory,) = (folder / "runs").iterdir()
        return json.loads((directory / "result.json").read_text())

    return run


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_nothing_is_failed_that_only_lacked_time(rehearse, attempt):
    result = rehearse("penpal-2.wasm")
    said = {
        f"{gate['stage']} / {gate['gate']}": gate["reason"] for gate in result["gates"] if gate["verdict"] == "FAILED"
    }
    assert said == {}, f"attempt {attempt}"
    assert result["verdict"] != "FAILED"


def test_code_that_breaks_a_parachain_does_not_pass_there_either(rehearse):
    result = rehearse(DEFECTIVE)
    upgrade = next(
        gate for gate in result["gates"] if (gate["stage"], gate["gate"]) == ("parachain-upgrade", "upgrade-enacted")
    )
    assert upgrade["verdict"] != "PASSED"
    assert result["verdict"] != "PASSED"
