"""Changes a recorded run as the world would, and says which changes its gates do not notice. Pure.

`changes` has what may befall a network, `edit` and `warp` what that does to the record, `trial` judges it. A change is
as small as it can be: what a node's trouble would do to the others is left out. So a gate that notices the change would
notice the real thing. Only what the judge reads is changed: neither charts nor measurements nor verdicts of the run.
"""

from orchestrator.gates.mutate.changes import mutants
from orchestrator.gates.mutate.mutant import Mutant
from orchestrator.gates.mutate.trial import Found, Trial, examined

__all__ = ["Found", "Mutant", "Trial", "examined", "mutants"]
