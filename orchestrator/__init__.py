"""coalmine's library and command line. Start reading at docs/whats-here.md."""

from importlib import metadata

__version__ = metadata.version("coalmine")
