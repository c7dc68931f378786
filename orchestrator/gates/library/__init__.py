"""Gates and sets of gates that come with coalmine, each with why it is there and where its numbers come from.

The YAML files beside this module are the library; `catalogue` reads them, `expand` puts them into a stage.
"""

from orchestrator.gates.library.catalogue import LIBRARY, GateSet, Library, LibraryGate
from orchestrator.gates.library.expand import expand

__all__ = ["LIBRARY", "GateSet", "Library", "LibraryGate", "expand"]
