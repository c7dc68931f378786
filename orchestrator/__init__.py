"""coalmine's library and command line. Start reading at docs/whats-here.md."""

__version__ = "0.1.0"
