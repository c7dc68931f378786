"""`coalmine version`."""

import platform

from orchestrator import __version__
from orchestrator.cli import console, options


def version(output: options.Output = options.Format.TEXT) -> int:
    """Print the versions of coalmine and Python."""
    if output is options.Format.JSON:
        console.data({"coalmine": __version__, "python": platform.python_version()})
    else:
        console.text(f"coalmine {__version__} (Python {platform.python_version()})")
    return 0
