"""Storage against a plain dictionary, with transactions inside transactions."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from orchestrator.runtime import trie
from orchestrator.runtime.storage import CHILD_PREFIX, Storage
from orchestrator.scale import compact

KEYS = st.binary(max_size=3)
CHILDREN = st.sampled_from([None, b"child", b"other"])


class AgainstDictionaries(RuleBasedStateMachine):
    """A stack of copies is what transactions mean; `Storage` must be indistinguishable from it."""

    def __init__(self):
        super().__init__()
        self.storage = Storage({b"\x01": b"before"})
        self.copies = [{(None, b"\x01"): b"before"}]

    @property
    def expected(self):
        return self.copies[-1]

    @rule(key=KEYS, value=st.none() | st.binary(max_size=4), child=CHILDREN)
    def set(self, key, value, child):
        self.storage.set(key, value, child)
        if value is None:
            self.expected.pop((child, key), None)
        else:
            self.expected[child, key] = value

    @rule(prefix=KEYS, limit=st.none() | st.integers(0, 3), child=CHILDREN)
    def clear_prefix(self, prefix, limit, child):
        found = sorted(key for owner, key in self.expected if owner == child and key.startswith(prefix))
        doomed = found[:limit]
        removed = self.storage.clear_prefix(prefix, limit, child)
        assert (removed.count, removed.rest) == (len(doomed), len(doomed) < len(found))
        for key in doomed:
            del self.expected[child, key]

    @rule()
    def start(self):
        self.storage.start()
        self.copies.append(dict(self.expected))

    @precondition(lambda self: len(self.copies) > 1)
    @rule()
    def commit(self):
        self.storage.commit()
        self.copies[-2:] = [self.copies[-1]]

    @precondition(lambda self: len(self.copies) > 1)
    @rule()
    def rollback(self):
        self.storage.rollback()
        self.copies.pop()

    @rule(key=KEYS, child=CHILDREN)
    def next_key(self, key, child):
        after = [other for owner, other in self.expected if owner == child and other > key]
        assert self.storage.next_key(key, child) == min(after, default=None)

    @invariant()
    def holds_the_same(self):
        found = {(None, key): value for key, value in self.storage.top.items()}
        for child, values in self.storage.children.items():
            found |= {(child, key): value for key, value in values.items()}
        assert found == self.expected


TestStorage = AgainstDictionaries.TestCase


def test_append_makes_a_vector_and_counts_its_items():
    storage = Storage()
    for number in range(70):
        storage.append(b"events", bytes([number]))
    assert storage.get(b"events") == compact(70) + bytes(range(70))


def test_append_to_what_is_no_vector_begins_anew():
    storage = Storage({b"events": b"\x03"})
    storage.append(b"events", b"x")
    assert storage.get(b"events") == compact(1) + b"x"


def test_the_state_root_holds_the_roots_of_child_tries():
    storage = Storage({b"a": b"1"}, {b"child": {b"b": b"2"}, b"empty": {}})
    child = trie.root({b"b": b"2"}, 1)
    assert storage.child_root(b"child", 1) == child
    assert storage.child_root(b"absent", 1) == trie.EMPTY_ROOT
    assert storage.root(1) == trie.root({b"a": b"1", CHILD_PREFIX + b"child": child}, 1)
