"""The model state transition: System and Sudo, the common base of relay chains and parachains.

Calls, errors, events and their order are those of `substrate/frame/system/src/lib.rs` and `substrate/frame/sudo`. There
are no weights and no fees. What else the code does is in its section `coalmine_model`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from orchestrator.errors import RuntimeBlobError
from orchestrator.genesis.header import blake2_256, runtime_updated
from orchestrator.runtime.blob import RuntimeBlob, RuntimeVersion, read
from orchestrator.scale import Reader, compact, text
from simnode.core.messages import blake2
from simnode.state import extrinsics, storage
from simnode.state.extrinsics import Call, Extrinsic
from simnode.state.port import BlockOutcome, Context, Event, InvalidTransaction, Names, RuntimePanic, State, Validity
from simnode.state.storage import CODE, Overlay, item, number_of, u32

NOT_EXPECTED = "Transaction call is not expected"
EXHAUSTED = "Transaction would exhaust the block limits"
STALE = "Transaction is outdated"
AUTHORIZED = item("System", "AuthorizedUpgrade")
LAST_UPGRADE = item("System", "LastRuntimeUpgrade")
VALIDATORS = item("Session", "Validators")
ROOT = "root"


class DispatchError(Exception):
    """A call that fails but is included. The text is `Pallet.Error` or `BadOrigin`."""


class ModelChain:
    """The common part of relay chain and parachain.

    `validators` are stash accounts, each with its authoring key. `substitutes` is the spec's `codeSubstitutes`, by
    block number.
    """

    inherents: ClassVar[frozenset[tuple[str, str]]] = frozenset({("Timestamp", "set")})
    authorities: ClassVar[tuple[bytes, bytes]]
    """Where the chain's consensus stores its authorities, and the bytes after each of their keys."""
    names: Names

    def __init__(
        self,
        *,
        genesis: Mapping[bytes, bytes],
        root: bytes,
        genesis_hash: str,
        sudo: bytes,
        validators: Sequence[tuple[bytes, bytes]],
        substitutes: dict[int, bytes],
    ) -> None:
        self.genesis_hash = genesis_hash
        self.sudo = sudo
        self.substitutes = substitutes
        values = dict(genesis)
        values[LAST_UPGRADE] = _upgrade_info(read(values[CODE]).version)
        values[item("Sudo", "Key")] = sudo
        key, weight = self.authorities
        values[key] = compact(len(validators)) + b"".join(author + weight for _, author in validators)
        values[VALIDATORS] = compact(len(validators)) + b"".join(stash for stash, _ in validators)
        self._genesis = State(values, root)
        self.prefixes = frozenset(item(*name.split(".")) for name in self.names.storage)
        self.max_code_size = 5 * 1024 * 1024

    def genesis(self) -> State:
        return self._genesis

    def begin(self, parent: State, context: Context) -> "ModelExecution":
        return ModelExecution(self, parent, context)

    def version(self, state: State) -> RuntimeVersion:
        return read(state.values[CODE]).version

    def nonce(self, state: State, account: bytes) -> int:
        return number_of((state.get(storage.account(account)) or bytes(4))[:4])

    def validate(self, state: State, extrinsic: str) -> Validity:
        parsed = extrinsics.parse(extrinsic)
        if parsed.signer is None:
            return self.validate_unsigned(state, parsed.call)
        if (parsed.call["pallet"], parsed.call["call"]) not in self.calls():
            raise InvalidTransaction(NOT_EXPECTED)
        if len(extrinsic) // 4 > self.max_code_size * 2:
            raise InvalidTransaction(EXHAUSTED)
        if not extrinsics.check_signature(extrinsic, self.genesis_hash):
            raise InvalidTransaction(extrinsics.BAD_SIGNATURE)
        expected = self.nonce(state, parsed.signer)
        if parsed.nonce < expected:
            raise InvalidTransaction(STALE)
        return Validity(ready=parsed.nonce == expected)

    def validate_unsigned(self, state: storage.Readable, call: Call) -> Validity:
        """Judges an unsigned call. Only applying an authorised upgrade may be unsigned."""
        if (call["pallet"], call["call"]) != ("System", "apply_authorized_upgrade"):
            raise InvalidTransaction(NOT_EXPECTED)
        try:
            code = bytes.fromhex(call["args"]["code"][2:])
            authorized_hash(state, code)
        except (KeyError, TypeError, ValueError, DispatchError) as error:
            raise InvalidTransaction(NOT_EXPECTED) from error
        return Validity(ready=True, priority=1)

    def calls(self) -> dict[tuple[str, str], Callable[["ModelExecution", str | bytes | None, dict[str, Any]], None]]:
        """The calls, by pallet and name. Each kind of chain adds its own."""
        return _CALLS

    # What a chain does in its own way.

    def on_initialize(self, execution: "ModelExecution") -> None:
        """Called at the beginning of a block."""

    def set_code(self, execution: "ModelExecution", code: bytes) -> None:
        """Handles new code that has passed the checks. On a solo or relay chain it applies at once."""
        execution.replace_code(code)


class ModelExecution:
    """The execution of one block."""

    def __init__(self, chain: ModelChain, parent: State, context: Context) -> None:
        self.chain = chain
        self.context = context
        self.storage = Overlay(parent, chain.prefixes)
        self.events: list[Event] = []
        self.logs: list[bytes] = []
        self.code = self._code(parent)
        self._migrate()
        chain.on_initialize(self)

    def _code(self, parent: State) -> RuntimeBlob:
        """The code that executes this block: the one in the parent's state, or its substitute of the same version."""
        try:
            code = read(parent.values[CODE])
            for number in sorted(self.chain.substitutes):
                substitute = read(self.chain.substitutes[number])
                if number < self.context.number and substitute.version.spec_version == code.version.spec_version:
                    code = substitute
        except RuntimeBlobError as error:
            raise RuntimePanic(f"the code on chain cannot be executed: {error.message}") from error
        return code

    def _migrate(self) -> None:
        last = last_upgrade(self.storage)
        version = self.code.version
        if last is not None and last[0] >= version.spec_version and last[1] == version.spec_name:
            return
        if (self.code.behaviour or {}).get("migration") == "panics":
            raise RuntimePanic(
                f"panicked at runtime/src/migrations.rs:1:1: rehearsal: the migration to {version.spec_name} "
                f"{version.spec_version} panics"
            )
        self.storage.put(LAST_UPGRADE, _upgrade_info(version))

    def deposit(self, pallet: str, event: str, **data: Any) -> None:
        assert f"{pallet}.{event}" in self.chain.names.events, "the runtime says that it has no such event"
        self.events.append({"pallet": pallet, "event": event, "data": data})

    def replace_code(self, code: bytes) -> None:
        self.storage.put(CODE, code)
        self.logs.append(runtime_updated())
        self.deposit("System", "CodeUpdated", hash=blake2(code))

    def apply(self, extrinsic: str) -> None:
        parsed = extrinsics.parse(extrinsic)
        origin: bytes | None = None
        if parsed.signer is not None:
            origin = self._check_signed(extrinsic, parsed)
        elif (parsed.call["pallet"], parsed.call["call"]) not in self.chain.inherents:
            self.chain.validate_unsigned(self.storage, parsed.call)
        snapshot, seen = self.storage.snapshot(), len(self.events)
        try:
            self.dispatch(parsed.call, origin)
        except DispatchError as error:
            self.storage.rollback(snapshot)
            del self.events[seen:]
            self.deposit("System", "ExtrinsicFailed", dispatch_error=str(error))
        else:
            self.deposit("System", "ExtrinsicSuccess")

    def _check_signed(self, extrinsic: str, parsed: Extrinsic) -> bytes:
        assert parsed.signer is not None
        key = storage.account(parsed.signer)
        nonce = number_of((self.storage.get(key) or bytes(4))[:4])
        if parsed.nonce != nonce or not extrinsics.check_signature(extrinsic, self.chain.genesis_hash):
            raise InvalidTransaction(STALE if parsed.nonce < nonce else extrinsics.BAD_SIGNATURE)
        # AccountInfo: nonce, three reference counters, four balances of 16 bytes.
        self.storage.put(key, u32(nonce + 1) + u32(0) + u32(1) + u32(0) + bytes(64))
        return parsed.signer

    def dispatch(self, call: Call, origin: str | bytes | None) -> None:
        """Runs a call.

        Raises:
            DispatchError: it fails.
        """
        function = self.chain.calls().get((call["pallet"], call["call"]))
        if function is None:
            raise DispatchError("BadOrigin" if origin == ROOT else "System.CallFiltered")
        try:
            function(self, origin, call.get("args", {}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DispatchError(f"the arguments of {call['pallet']}.{call['call']} cannot be read: {error}") from error

    def finish(self) -> BlockOutcome:
        return BlockOutcome(self.storage.finish(), tuple(self.events), tuple(self.logs))


def authorized_hash(state: storage.Readable, code: bytes) -> tuple[bytes, bool]:
    """The authorisation for this code: its hash, and whether the version must be checked.

    Raises:
        DispatchError: no code is authorised, or another one is.
    """
    value = state.get(AUTHORIZED)
    if value is None:
        raise DispatchError("System.NothingAuthorized")
    if value[:32] != blake2_256(code):
        raise DispatchError("System.Unauthorized")
    return value[:32], bool(value[32])


def last_upgrade(state: storage.Readable) -> tuple[int, str] | None:
    """`System.LastRuntimeUpgrade`: spec version and name."""
    value = state.get(LAST_UPGRADE)
    if value is None:
        return None
    reader = Reader(value)
    return reader.compact(), reader.text()


def root_only(origin: str | bytes | None) -> None:
    if origin != ROOT:
        raise DispatchError("BadOrigin")


def _upgrade_info(version: RuntimeVersion) -> bytes:
    return compact(version.spec_version) + text(version.spec_name)


def _check_version(execution: ModelExecution, code: bytes) -> str | None:
    """Why the code may not follow the current one. None if it may."""
    try:
        new = read(code).version
    except RuntimeBlobError:
        return "System.FailedToExtractRuntimeVersion"
    present = read(execution.storage.get(CODE) or b"").version
    if new.spec_name != present.spec_name:
        return "System.InvalidSpecName"
    if new.spec_version <= present.spec_version:
        return "System.SpecVersionNeedsToIncrease"
    return None


def _remark(
    execution: ModelExecution,  # noqa: ARG001  The form of all calls.
    origin: str | bytes | None,
    args: dict[str, Any],  # noqa: ARG001  As above.
) -> None:
    if origin is None:
        raise DispatchError("BadOrigin")


def _remark_with_event(execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
    if not isinstance(origin, bytes):
        raise DispatchError("BadOrigin")
    remark = bytes.fromhex(args["remark"].removeprefix("0x"))
    execution.deposit("System", "Remarked", sender="0x" + origin.hex(), hash=blake2(remark))


def _authorize(*, check: bool) -> Callable[[ModelExecution, str | bytes | None, dict[str, Any]], None]:
    def call(execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
        root_only(origin)
        code_hash = bytes.fromhex(args["code_hash"][2:])
        if len(code_hash) != 32:
            raise ValueError("a code hash has 32 bytes")
        execution.storage.put(AUTHORIZED, code_hash + bytes([check]))
        execution.deposit("System", "UpgradeAuthorized", code_hash=args["code_hash"], check_version=check)

    return call


def _apply_authorized(
    execution: ModelExecution,
    origin: str | bytes | None,  # noqa: ARG001  Anybody may.
    args: dict[str, Any],
) -> None:
    """Applies authorised code. Bad code gives success and an event, and the authorisation is removed."""
    code = bytes.fromhex(args["code"][2:])
    code_hash, check = authorized_hash(execution.storage, code)
    error = _check_version(execution, code) if check else None
    if error is not None:
        execution.deposit("System", "RejectedInvalidAuthorizedUpgrade", code_hash="0x" + code_hash.hex(), error=error)
    else:
        execution.chain.set_code(execution, code)
    execution.storage.delete(AUTHORIZED)


def _set_code(*, check: bool) -> Callable[[ModelExecution, str | bytes | None, dict[str, Any]], None]:
    def call(execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
        root_only(origin)
        code = bytes.fromhex(args["code"][2:])
        error = _check_version(execution, code) if check else None
        if error is not None:
            raise DispatchError(error)
        execution.chain.set_code(execution, code)

    return call


def _sudo(execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
    """Succeeds whenever the signer is right. Only the event says whether the inner call succeeded."""
    if origin != execution.chain.sudo:
        raise DispatchError("Sudo.RequireSudo")
    snapshot, seen = execution.storage.snapshot(), len(execution.events)
    result: Any = "Ok"
    try:
        execution.dispatch(args["call"], ROOT)
    except DispatchError as error:
        execution.storage.rollback(snapshot)
        del execution.events[seen:]
        result = {"Err": str(error)}
    execution.deposit("Sudo", "Sudid", sudo_result=result)


def _timestamp(execution: ModelExecution, origin: str | bytes | None, args: dict[str, Any]) -> None:
    if origin is not None:
        raise DispatchError("BadOrigin")
    execution.storage.put(item("Timestamp", "Now"), storage.u64(args["now"]))


_CALLS: dict[tuple[str, str], Callable[[ModelExecution, str | bytes | None, dict[str, Any]], None]] = {
    ("System", "remark"): _remark,
    ("System", "remark_with_event"): _remark_with_event,
    ("System", "authorize_upgrade"): _authorize(check=True),
    ("System", "authorize_upgrade_without_checks"): _authorize(check=False),
    ("System", "apply_authorized_upgrade"): _apply_authorized,
    ("System", "set_code"): _set_code(check=True),
    ("System", "set_code_without_checks"): _set_code(check=False),
    ("Sudo", "sudo"): _sudo,
    ("Sudo", "sudo_unchecked_weight"): _sudo,
    ("Timestamp", "set"): _timestamp,
}
