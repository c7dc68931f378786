"""Runs two real validators and a real parachain on loopback: upgrades them, has upgrades refused, and stops a node.

This takes long, so it happens once for all tests of this folder, and each test checks one thing that was seen. The
relay chain comes first: the parachain's first block comes only in the second session, two minutes after genesis.
"""

import re
import signal
import time
from types import SimpleNamespace

import httpx
import pytest

from orchestrator.chain import ParachainReader, events_between, runtime, upgrader
from orchestrator.errors import ChainError
from orchestrator.genesis.header import blake2_256
from orchestrator.metrics.exposed import read_page
from tests.real.native import PARA, SUDO, NativeNetwork, Programs, specs_of


@pytest.fixture(scope="package")
def story(real, polkadot, omni_node, tmp_path_factory):
    programs = Programs(real, polkadot, omni_node)
    specs, folder = specs_of(programs, tmp_path_factory), tmp_path_factory.mktemp("chain")
    with NativeNetwork(programs, specs, folder) as network:
        seen = SimpleNamespace(programs=programs, network=network, seconds={})
        for chapter in (_starts, _refusals, _stop_bob, _relay_upgrade, _inclusion, _parachain_upgrade, _pages):
            began = time.monotonic()
            chapter(network, seen)
            seen.seconds[chapter.__name__.strip("_")] = round(time.monotonic() - began, 1)
        print(f"\nseconds: {seen.seconds}")  # noqa: T201  Shows how long each part takes.
        yield seen


def _starts(network, seen):
    seen.relay, seen.para = network.nodes["alice"].reader(), network.nodes["collator"].reader()
    network.until(lambda: seen.relay.finalized().number > 0, 400, "a finalised relay block")
    seen.first = seen.relay.finalized()
    seen.lifecycle = ParachainReader(seen.relay).lifecycle(PARA)
    seen.included_at_first = ParachainReader(seen.relay).included(PARA, seen.relay.genesis_hash())


def _refusals(network, seen):
    """Makes a call that fails as root, and an upgrade whose version is not higher."""
    one, code = upgrader(seen.relay.rpc, SUDO), seen.programs.code("westend-fast-1025002.wasm")
    seen.same_hash = blake2_256(code)
    since = seen.relay.best().number + 1
    one.as_root("System", "set_code", code="0x00")
    one.authorize(seen.same_hash)
    network.until(lambda: seen.relay.authorized_upgrade() == seen.same_hash, 180, "the authorisation")
    one.apply(code)
    network.until(lambda: seen.relay.authorized_upgrade() is None, 180, "the rejection")
    last = seen.relay.best().number
    network.until(lambda: seen.relay.finalized().number >= last, 180, "its finality")
    seen.refusals = list(events_between(seen.relay, runtime(seen.relay.rpc), since, last))
    seen.version_after_rejection = seen.relay.runtime_version().spec_version


def _stop_bob(network, seen):
    network.nodes["bob"].send_signal(signal.SIGSTOP)
    time.sleep(8)  # Let the rounds with bob's earlier votes end.
    seen.looks = []
    for _ in range(4):
        seen.looks.append(seen.relay.round_state())
        time.sleep(2)
    network.nodes["bob"].send_signal(signal.SIGCONT)
    stood = seen.relay.finalized().number
    network.until(lambda: seen.relay.finalized().number > stood, 180, "finality with bob back")
    seen.looks_after = []
    for _ in range(8):
        seen.looks_after.append(seen.relay.round_state())
        time.sleep(1)


def _relay_upgrade(network, seen):
    code = seen.programs.code("westend-fast-1025003.wasm")
    seen.relay_hash = blake2_256(code)
    since = seen.relay.best().number + 1
    one = upgrader(seen.relay.rpc, SUDO)
    one.authorize(seen.relay_hash)
    network.until(lambda: seen.relay.authorized_upgrade() == seen.relay_hash, 180, "the authorisation")
    one.apply(code)

    def enacted():
        return seen.relay.last_runtime_upgrade(seen.relay.finalized().hash).spec_version == 1025003

    network.until(enacted, 600, "a finalised block built by the new relay runtime")
    seen.relay_events = list(events_between(seen.relay, runtime(seen.relay.rpc), since, seen.relay.finalized().number))


def _inclusion(network, seen):
    network.until(lambda: (ParachainReader(seen.relay).included(PARA) or 0) > 0, 600, "the first included candidate")


def _parachain_upgrade(network, seen):
    code = seen.programs.code("penpal-2.wasm")
    seen.para_hash = blake2_256(code)
    relay_since, since = seen.relay.best().number + 1, seen.para.best().number + 1
    one, parachains = upgrader(seen.para.rpc, SUDO), ParachainReader(seen.relay)
    one.authorize(seen.para_hash)
    network.until(lambda: seen.para.authorized_upgrade() == seen.para_hash, 180, "the authorisation")
    one.apply(code)
    seen.steps = []

    def note(name, holds):
        if holds and name not in seen.steps:
            seen.steps.append(name)

    def enacted():
        relay, para = seen.relay, seen.para
        note("PendingValidationCode", para.pending_validation_code())
        note("FutureCodeHash", relay.future_code_hash(PARA) == seen.para_hash)
        note("PvfActiveVoteList", parachains.is_being_checked(seen.para_hash))
        note("UpgradeRestrictionSignal", relay.restricted(PARA))
        note("no UpgradeRestrictionSignal", "UpgradeRestrictionSignal" in seen.steps and not relay.restricted(PARA))
        note("GoAhead", relay.go_ahead(PARA) == "GoAhead")
        note("CurrentCodeHash", relay.current_code_hash(PARA) == seen.para_hash)
        return para.last_runtime_upgrade(para.finalized().hash).spec_version == 2

    network.until(enacted, 900, "a finalised block built by the parachain's new runtime")
    seen.para_events = list(events_between(seen.para, runtime(seen.para.rpc), since, seen.para.finalized().number))
    last = seen.relay.finalized().number
    seen.relay_side = list(events_between(seen.relay, runtime(seen.relay.rpc), relay_since, last))


def _pages(network, seen):
    """Reads the metrics of a validator, a collator, and the relay node in the collator, when every counter exists."""
    alice, (collator, embedded) = *_urls(network.nodes["alice"]), _urls(network.nodes["collator"])
    network.until(lambda: _value(embedded, "polkadot_parachain_collations_sent_total"), 300, "a collation sent")
    network.until(lambda: _value(collator, "parachain_block_backed_duration_count"), 300, "a block backed")
    urls = {"validator": alice, "collator": collator, "embedded": embedded}
    seen.pages = SimpleNamespace(**{name: read_page(_text(url)) for name, url in urls.items()})


def _urls(node):
    """The URLs of a node's metrics: its own, and that of the relay node inside it, if it has one."""
    words = node.process.args
    return [f"http://127.0.0.1:{words[i + 1]}/metrics" for i, word in enumerate(words) if word == "--prometheus-port"]


def _text(url):
    try:
        return httpx.get(url, timeout=20).text
    except httpx.HTTPError as error:
        raise ChainError(f"{url}: {error!r}") from error


def _value(url, name):
    found = re.search(rf"^{name}(?:\{{.*\}})? (\S+)$", _text(url), re.MULTILINE)
    return found is not None and float(found[1]) > 0
