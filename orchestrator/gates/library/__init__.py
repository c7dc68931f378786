"""Gates and sets of gates that come with coalmine. Each gate says why it exists and where its numbers come from.

The YAML files beside this module are the library. `catalogue` reads them, and `expand` puts their gates into a stage.
"""

from orchestrator.gates.library.catalogue import LIBRARY, GateSet, Library, LibraryGate
from orchestrator.gates.library.expand import expand

__all__ = ["LIBRARY", "GateSet", "Library", "LibraryGate", "expand"]
