"""Makes good files bad, and knows where: each change of a file's text comes with the line and path of its mistake."""

import random
from dataclasses import dataclass, replace

import yaml

from orchestrator.spec.document import written

FREE = ("genesis", "hostConfiguration", "rawOverride", "balances", "env", "labels", "annotations", "override")
"""Fields whose keys are the user's own, so that no key there is unknown."""

ANYTHING = ("genesis", "hostConfiguration")
"""Fields that may hold whatever a runtime understands."""

VALUES = {
    "apiVersion": ("coalmine.dev/v2", "v1"),
    "metadata.name": ("Upper", "a b", "-x", "x" * 41, "''"),
    "groups.name": ("Upper", "under_score", "1st", "'x-'"),
    "groups.count": ("0", "-1", "10001", "1.5", "many", "null"),
    "groups.client": ("geth", "Simnode"),
    "groups.role": ("king", "Validator"),
    "groups.image": ("'two words'", "''"),
    "groups.storageClass": ("Fast_Class",),
    "groups.region": ("'eu west'",),
    "groups.database": ("sqlite",),
    "groups.pruning": ("'0'", "some", "256"),
    "groups.balance": ("-1", "much"),
    "groups.stake": ("-1",),
    "groups.invulnerable": ("perhaps",),
    "resources.cpu": ("much", "-1", "1e3"),
    "resources.memory": ("1GB", "1 Gi"),
    "archive.url": ("ftp://x", "x"),
    "archive.sha256": ("'00'", "zz"),
    "snapshot.volumeClaim": ("''", "A B"),
    "relaychain.client": ("geth", "[]"),
    "relaychain.slot": ("2", "9s", "0s", "soon", "1e3s"),
    "relaychain.sessionBlocks": ("3", "601", "'ten'"),
    "relaychain.specId": ("'a b'", "''"),
    "relaychain.secureValidators": ("perhaps",),
    "parachains.id": ("0", "4294967296", "two"),
    "parachains.relay": ("none",),
    "parachains.onboarding": ("soon",),
    "parachains.cores": ("-1", "65"),
    "parachains.authoring": ("slotbased",),
    "hrmpChannels.sender": ("one", "null"),
    "hrmpChannels.maxCapacity": ("0",),
    "own.scrapeInterval": ("1", "often"),
    "existing.port": ("0", "65536"),
    "spec.ttl": ("1 day", "9" * 400 + "s"),
    "spec.devKeys": ("perhaps",),
    "model.specVersion": ("0", "one"),
    "model.migration": ("fails",),
    "model.precheck": ("perhaps",),
    "spec.testnet": ("'Not A Name'",),
    "stages.name": ("Upper",),
    "stages.hold": ("10", "a while"),
    "gates.name": ("Upper",),
    "gates.atMost": (".inf", ".nan", "little"),
    "gates.atLeast": ("little",),
    "gates.tolerate": ("5", "100%", "101%"),
    "gates.consecutive": ("0",),
    "gates.minSamples": ("0",),
    "gates.chainRead": ("weather",),
    "gates.pods": ("happy",),
    "gates.faulted": ("forgive",),
    "gates.abortOn": ("passed",),
    "gates.recoversWithin": ("2 moons", "9" * 30 + " blocks"),
    "gates.progresses": ("0s", "x" * 100),
    "gates.increasesBy": ("0", "-1"),
    "logs.pattern": ("'('", "''"),
    "window.from": ("sometime", "session(+0)"),
    "window.to": ("sometime",),
    "window.for": ("10", "10 moons"),
    "window.settle": ("10",),
    "policy.missing": ("pass",),
    "policy.counterReset": ("panic",),
    "view.per": ("continent",),
    "experiment.duration": ("0s", "30"),
    "partition.others": ("eat",),
    "target.authorities": ("most",),
    "upgrade.settleSessions": ("-1", "11"),
    "storage.pallet": ("'Not A Pallet'",),
    "storage.as": ("u7",),
    "use": ("Not A Name",),
}
"""What is no good value of a field, by the last two names of its path (or the last one)."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A piece of text in the place of another, and the mistake that it is: its line (from 1) and its path's beginning.

    `words` is a part of the message where one is known; `hides` is below what nothing else can be told then.
    """

    start: int
    end: int
    text: str
    line: int
    path: str
    words: str = ""
    hides: str = ""

    @property
    def added(self) -> int:
        """How many lines more the file has afterwards."""
        return self.text.count("\n")


def mutations(text):
    """Every single mutation of a file that this module knows."""
    return [each for node in yaml.compose_all(text) for each in _of(node, (), text)]


def chosen(text, among, chance, count):
    """Up to `count` mutations at a time whose mistakes do not hide each other, and the text that has them.

    One inside of what another replaces is hidden, and a document of another kind has no fields at all.
    """
    picked = []
    for one in chance.sample(among, min(len(among), 4 * count)):
        near = any(_hide(one, other) for other in picked)
        if not near and len(picked) < count and (count == 1 or one.path != "kind"):
            picked.append(one)
    return applied(text, picked), _moved(picked)


def applied(text, picked):
    for one in sorted(picked, key=lambda one: one.start, reverse=True):
        text = text[: one.start] + one.text + text[one.end :]
    return text


def _moved(picked):
    """The mutations with their lines in the text that has them all."""
    return [
        replace(one, line=one.line + sum(other.added for other in picked if other.start < one.start)) for one in picked
    ]


def _hide(one, other):
    overlap = one.start < other.end and other.start < one.end
    return overlap or one.start == other.start or any(_below(a, b) for a, b in ((one, other), (other, one)))


def _below(one, other):
    hidden = other.hides or other.path
    return one.path == other.path or f"{one.hides or one.path}.".startswith((f"{hidden}.", f"{hidden}["))


def _of(node, path, text):
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _of(item, (*path, index), text)
    elif isinstance(node, yaml.MappingNode):
        free = bool(path) and path[-1] in FREE
        if not free and "override" not in path:
            yield from _unknown(node, path, text)
        for key, value in node.value:
            inner = (*path, key.value)
            if not free and "override" not in path:
                yield from _misspelt(key, inner, node)
            if not set(inner) & set(ANYTHING):
                yield from _twice(key, value, inner, text)
                yield from _of(value, inner, text)
    elif not set(path) & set(ANYTHING):
        yield from _wrong(node, path)


def _line(node):
    return node.start_mark.line + 1


def _unknown(node, path, text):
    """A field that nobody knows, on a line of its own in a block and in the line of a flow."""
    where = written((*path, "colour"))
    if node.flow_style:
        at = node.start_mark.index + 1
        yield Mutation(at, at, "colour: red, " if node.value else "colour: red", _line(node), where, "no such field")
        return
    for key, _ in node.value:
        begin = text.rfind("\n", 0, key.start_mark.index) + 1
        indent = text[begin : key.start_mark.index]
        if not indent.strip():
            yield Mutation(begin, begin, f"{indent}colour: red\n", _line(key), where, "no such field")
            return


def _misspelt(key, path, node):
    start, end = key.start_mark.index, key.end_mark.index
    name = f"{path[-1]}x"
    if path == ("kind",):  # Nothing else can be said of it, and it is said where the document begins.
        yield Mutation(start, end, name, _line(node), "kind")
    else:
        hides = path[:-1] if path[-1] == "use" else path  # Without it, what stands beside it is a gate's.
        yield Mutation(start, end, name, _line(key), written((*path[:-1], name)), "no such field", written(hides))


def _twice(key, value, path, text):
    if not isinstance(value, yaml.ScalarNode):
        return
    begin = text.rfind("\n", 0, key.start_mark.index) + 1
    indent = text[begin : key.start_mark.index]
    if not indent.strip(" -"):
        end = text.find("\n", value.end_mark.index)
        copy = f"\n{' ' * len(indent)}{text[key.start_mark.index : value.end_mark.index]}"
        yield Mutation(end, end, copy, _line(value) + 1, written(path), "twice")


def _wrong(node, path):
    """A value of another type, and each value that is known to be bad for this field."""
    start, end, line = node.start_mark.index, node.end_mark.index, _line(node)
    yield Mutation(start, end, "{wrong: [1]}", line, written(path))
    names = [part for part in path if isinstance(part, str)]
    if set(names[:-1]) & set(FREE):
        return
    for bad in VALUES.get(".".join(names[-2:]), VALUES.get(names[-1], ()) if names else ()):
        yield Mutation(start, end, bad, line, written(path))


def seeded(seed):
    return random.Random(seed)
