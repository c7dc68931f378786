"""Which log lines tell of a panic of the chain, word by word as real nodes and simnode write them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from chaos.nodes import Node
from chaos.upgrades import evidence

NODE = Node("collator-0", "collator", "collator", "nest", 2000, "u", "m", ("10.0.0.1",), "c", ready=True)


class Logs:
    def __init__(self, text):
        self.text = text

    def logs(self, *_, **__):
        return self.text


@pytest.mark.parametrize(
    ("log", "said"),
    [
        pytest.param(
            "13:39:06 [Parachain] 🙌 Starting\n"
            "13:39:06 [Parachain] panicked at src/lib.rs:203:9:\n"
            "rehearsal: this migration panics    \n"
            "13:39:07 [Parachain] err=RuntimeApiError(…)\n",
            "13:39:06 [Parachain] panicked at src/lib.rs:203:9: rehearsal: this migration panics",
            id="a collator: the message is on the next line",
        ),
        pytest.param(
            "panicked at runtime/src/migrations.rs:1:1: rehearsal: it panics\nnext\n",
            "panicked at runtime/src/migrations.rs:1:1: rehearsal: it panics",
            id="simnode: all on one line",
        ),
        pytest.param("12:00 [Relaychain] panicked at src/lib.rs:1:1:\nits own\n", None, id="the relay node inside"),
        pytest.param("12:00 all is well\n", None, id="none"),
        pytest.param("a panicked at x:1:\nfirst\nb panicked at y:1:\nlast\n", "b panicked at y:1: last", id="the last"),
    ],
)
def test_the_last_panic_is_told_with_its_message(log, said):
    with ThreadPoolExecutor(1) as threads:
        found = evidence.panics(Logs(log), [NODE], threads, seconds=60)
    assert found == ({} if said is None else {"collator-0": said})
