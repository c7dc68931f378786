"""All errors, and the exit code of each. Every module raises these; only `cli` catches them all.

::

    CoalmineError             4   any error of coalmine
    ├── UsageError            2   the command line asks for something impossible
    ├── SpecError             2   a file is wrong; holds every mistake with file, line and path
    ├── GenesisError          2   a runtime refuses the requested genesis, in its own words
    ├── RuntimeBlobError      2   code that is not a runtime
    │   └── RuntimeCallError          a call of a runtime failed; holds its log lines
    │       ├── RuntimePanicError         it panicked
    │       ├── RuntimeApiError           it has no such entry point
    │       └── HostFunctionError         it called a host function that we do not have
    ├── Refused               2   possible but forbidden: a live network, a cluster outside the allow-list
    ├── Inconclusive          3   not enough evidence
    ├── InfrastructureError   4   something that coalmine depends on failed
    │   ├── LabError              the local Kubernetes
    │   ├── ClusterError          the API server refused or did not answer
    │   ├── ProvisionError        applying, previewing or deleting objects failed
    │   ├── ReadinessError        a network did not come up; names the rung and the cause
    │   ├── ChainError            a node's RPC refused or did not answer
    │   ├── MetricsError          Prometheus refused or did not answer
    │   └── SnapshotError         a database cannot be copied, fetched or restored
    └── Interrupted         130   the user pressed Ctrl-C
"""

from dataclasses import dataclass


class CoalmineError(Exception):
    """Any error of coalmine. `hint` is one sentence about what the user can do."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a user's file: its place and its description."""

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
    """A runtime refuses the requested genesis. `log` holds the lines that it logged before."""

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
    """The API server refused or did not answer. `status` is the HTTP status, 0 if there was no answer.

    `answer` is the body of the answer if it came through the API server's proxy, not from the API server itself.
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
    """A call of a runtime failed. `log` holds the lines that it logged before."""

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
