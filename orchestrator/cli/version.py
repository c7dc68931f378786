"""`coalmine version`."""

import platform

from orchestrator import __version__
from orchestrator.cli import options, stdout
from orchestrator.cli.format import Format


def version(output: options.Output = Format.TEXT) -> int:
    """Print the versions of coalmine and Python."""
    if output is Format.JSON:
        stdout.data({"coalmine": __version__, "python": platform.python_version()})
    else:
        stdout.text(f"coalmine {__version__} (Python {platform.python_version()})")
    return 0
