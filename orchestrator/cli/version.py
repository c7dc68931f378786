"""`coalmine version`."""

import platform

from orchestrator import __version__
from orchestrator.cli import console, options
from orchestrator.cli.format import Format


def version(output: options.Output = Format.TEXT) -> int:
    """Print the versions of coalmine and Python."""
    if output is Format.JSON:
        console.data({"coalmine": __version__, "python": platform.python_version()})
    else:
        console.text(f"coalmine {__version__} (Python {platform.python_version()})")
    return 0
