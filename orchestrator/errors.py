"""The whole error tree, and the exit code that each error means. Everything raises from here; only `cli` catches.

::

    CoalmineError             4   anything that we can name
    ├── UsageError            2   the command line asks for something that cannot be
    ├── SpecError             2   a file is wrong; carries every mistake with file, line and path
    ├── GenesisError          2   a runtime refuses the genesis that was asked for, in its own words
    ├── RuntimeBlobError      2   code that is not a runtime
    │   └── RuntimeCallError          a runtime that was called and failed; carries its own log lines
    │       ├── RuntimePanicError         it panicked
    │       ├── RuntimeApiError           it has no such entry point
    │       └── HostFunctionError         it called a function that no host here has
    ├── Refused               2   it could be done and must not be: a live network, a cluster outside the allow-list
    ├── Inconclusive          3   the evidence does not suffice
    ├── InfrastructureError   4   something that we stand on failed
    │   ├── LabError              the local Kubernetes
    │   ├── ClusterError          the API server said no or nothing
    │   ├── ProvisionError        applying, previewing or deleting objects
    │   ├── ReadinessError        a network did not come up; names the rung and the cause
    │   ├── ChainError            a node's RPC said no or nothing
    │   ├── MetricsError          Prometheus said no or nothing
    │   └── SnapshotError         a database that cannot be taken, fetched or put in place
    └── Interrupted         130   somebody pressed Ctrl-C
"""

from dataclasses import dataclass


class CoalmineError(Exception):
    """Anything that we can name. `hint` is what the reader can do about it, one sentence."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong in a user's file: where it stands, and what is wrong with it."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class UsageError(CoalmineError):
    exit_code = 2


class SpecError(CoalmineError):
    """A file is wrong. `mistakes` holds all of them, in the order of the file."""

    exit_code = 2

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        count = len(mistakes)
        super().__init__(f"{count} mistake{'s' if count != 1 else ''}, nothing was changed")
        self.mistakes = mistakes


class GenesisError(CoalmineError):
    """A runtime refuses the genesis that was asked for. `log` holds the lines that it wrote until then."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str | None = None, log: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.log = log


class Refused(CoalmineError):  # noqa: N818  The word says more than RefusedError.
    exit_code = 2


class Inconclusive(CoalmineError):  # noqa: N818  As above.
    exit_code = 3


class InfrastructureError(CoalmineError):
    exit_code = 4


class LabError(InfrastructureError):
    pass


class ClusterError(InfrastructureError):
    """The API server said no or nothing. `status` is the HTTP status, 0 when there was no answer.

    `answer` is the body where it came from behind the API server's proxy and not from the API server itself.
    """

    def __init__(self, message: str, *, hint: str | None = None, status: int = 0, answer: bytes | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.answer = answer


class ProvisionError(InfrastructureError):
    pass


class ReadinessError(InfrastructureError):
    pass


class ChainError(InfrastructureError):
    pass


class MetricsError(InfrastructureError):
    pass


class SnapshotError(InfrastructureError):
    pass


class RuntimeBlobError(CoalmineError):
    exit_code = 2


class RuntimeCallError(RuntimeBlobError):
    """A runtime that was called and failed. `log` holds the lines that it wrote until then."""

    def __init__(self, message: str, *, hint: str | None = None, log: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.log = log


class RuntimePanicError(RuntimeCallError):
    pass


class RuntimeApiError(RuntimeCallError):
    pass


class HostFunctionError(RuntimeCallError):
    pass


class Interrupted(CoalmineError):  # noqa: N818  As above.
    exit_code = 130
