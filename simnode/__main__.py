"""`python3 -m simnode`: a relay node, or a parachain node with a relay node inside."""

import asyncio
import signal
import sys
import time

from simnode import chainspec
from simnode.arguments import Arguments, Side, parse
from simnode.core.para import ParaNode
from simnode.core.relay import RelayNode
from simnode.log import say
from simnode.shell import Shell, banner


def _keys(side: Side, spec: chainspec.Spec) -> frozenset[str]:
    """The file names of a keystore: key type and public key in hex. The secrets inside are not needed."""
    directory = side.keystore or side.base_path / "chains" / spec.id / "keystore"
    return frozenset(file.name for file in directory.iterdir()) if directory.is_dir() else frozenset()


def _relay(side: Side, *, prefix: str) -> Shell:
    spec = chainspec.load(side.chain)
    keys = _keys(side, spec)
    authority = chainspec.authority_index(spec, keys) if side.authority else None
    node = chainspec.relay_node(spec, authority=authority, preparation=side.preparation)
    return Shell(node, spec, side, keys=keys, prefix=prefix)


def _para(side: Side, relay: RelayNode) -> Shell:
    spec = chainspec.load(side.chain)
    keys = _keys(side, spec)
    authority = chainspec.authority_index(spec, keys) if side.authority else None
    return Shell(chainspec.para_node(spec, relay, authority=authority), spec, side, keys=keys, prefix="[Parachain] ")


def shells(arguments: Arguments) -> list[Shell]:
    """The nodes of this process, the relay node first."""
    if arguments.relay is None:
        return [_relay(arguments.own, prefix="")]
    relay = _relay(arguments.relay, prefix="[Relaychain] ")
    assert isinstance(relay.node, RelayNode)
    para = _para(arguments.own, relay.node)
    node = para.node
    assert isinstance(node, ParaNode)
    relay.metrics.collator = lambda: node
    return [relay, para]


async def run(arguments: Arguments) -> None:
    """Runs until the process is asked to end."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    parts = shells(arguments)
    for part in parts:
        part.restore()
    for part in parts:
        await part.start()
    if len(parts) == 2:
        relay, para = parts
        node = para.node
        assert isinstance(node, ParaNode)

        def follow() -> None:
            if node.follow(time.time()):
                para.step()

        relay.after = follow
        para.after = relay.perform
    await stopped.wait()
    for part in parts:
        await part.stop()


def main() -> None:
    arguments = parse(sys.argv[1:])
    say(banner(arguments.own.name))
    try:
        asyncio.run(run(arguments))
    except (OSError, ValueError, KeyError) as error:
        # For example a port in use or an invalid chain spec. It ends with one line, as the real client does.
        sys.exit(f"Error: {error!r}")


if __name__ == "__main__":
    main()
