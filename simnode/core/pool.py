"""The pool of transactions that wait for a block.

An extrinsic stays until it is in a finalised block, or could not be included for a while. So it survives a
reorganisation. At every best block the state transition decides again which extrinsics are ready.
"""

from simnode.core.messages import Hash, blake2
from simnode.state.extrinsics import parse
from simnode.state.port import InvalidTransaction, State, StateTransition

_PATIENCE = 64
"""How many blocks an extrinsic that cannot be included is kept. `longevity` in `client/transaction-pool`."""
_LIMIT = 4096


class Pool:
    def __init__(self, rules: StateTransition) -> None:
        self._rules = rules
        self._known: dict[Hash, tuple[str, int]] = {}
        self._future: list[str] = []
        self.ready: list[str] = []
        """The extrinsics that the next block may contain, in order."""
        self.submitted = 0
        """How many extrinsics were accepted so far."""

    def __contains__(self, hash_: Hash) -> bool:
        return hash_ in self._known

    def submit(self, extrinsic: str, state: State, number: int) -> Hash | None:
        """Accepts an extrinsic. Returns its hash, or None if it was already there.

        Raises:
            InvalidTransaction: the state transition refuses it.
        """
        try:
            raw = bytes.fromhex(extrinsic.removeprefix("0x"))
        except ValueError as error:
            raise InvalidTransaction("Transaction has a bad format") from error
        hash_ = blake2(raw)
        if hash_ in self._known:
            return None
        self._rules.validate(state, extrinsic)
        if len(self._known) >= _LIMIT:
            raise InvalidTransaction("The pool is full")
        self._known[hash_] = (extrinsic, number)
        self.submitted += 1
        self.refresh(state, number)
        return hash_

    def refresh(self, state: State, number: int) -> None:
        """Judges everything again at a new best block."""
        judged = []
        for hash_, (extrinsic, since) in list(self._known.items()):
            try:
                validity = self._rules.validate(state, extrinsic)
            except InvalidTransaction:
                if number > since + _PATIENCE:
                    del self._known[hash_]
                continue
            judged.append((validity, extrinsic))
        judged.sort(key=lambda pair: -pair[0].priority)
        self.ready = [extrinsic for validity, extrinsic in judged if validity.ready]
        self._future = [extrinsic for validity, extrinsic in judged if not validity.ready]

    def candidates(self) -> list[str]:
        """The extrinsics that an author tries, in order: ready ones, then those that may become ready through them."""
        return self.ready + self._future

    def next_nonce(self, account: bytes, nonce: int) -> int:
        """The first nonce of an account that neither the chain nor a waiting extrinsic has used."""
        waiting = (parse(extrinsic) for extrinsic in self.candidates())
        used = {one.nonce for one in waiting if one.signer == account}
        while nonce in used:
            nonce += 1
        return nonce

    def finalized(self, body: tuple[str, ...]) -> None:
        for extrinsic in body if self._known else ():
            self._known.pop(blake2(bytes.fromhex(extrinsic[2:])), None)
