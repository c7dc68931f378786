"""coalmine's library and command line. Start reading at docs/whats-here.md."""

import os

# Pydantic reads the metadata of every installed package to find plugins: 30 ms of each start, and we use none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

__version__ = "0.1.0"
