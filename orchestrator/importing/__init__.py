"""Turns network definitions of other tools into Testnets. Pure: text in, document and findings out. Called by `cli`."""

from orchestrator.importing.account import Finding
from orchestrator.importing.zombienet import Imported, read_definition

__all__ = ["Finding", "Imported", "read_definition"]
