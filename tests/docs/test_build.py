"""The pages become a website without a warning, so no link between them leads nowhere. It is `make docs`."""

import subprocess
import sys

from tests.docs.pages import ROOT


def test_the_website_is_built_without_a_warning(tmp_path):
    strict = ("--quiet", "--fail-on-warning", "--keep-going", "--nitpicky")
    command = [sys.executable, "-m", "sphinx", *strict, "-d", str(tmp_path / "read"), "docs", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "reference" / "testnet.html").exists()
