"""simnode: a simulated Polkadot client. Its banner, `system_version` and build info all say SIMULATED.

`core` is the protocol, a pure state machine. `state` is the state transition, behind a protocol (`state.port`). The
other modules are the shell: sockets, clock, disk, RPC and metrics. Run it with `python3 -m simnode`.

What is real: blocks, votes, statements and bitfields are messages between processes, and fork choice, GRANDPA's rules
and the upgrade mechanism are the protocol's own. What is not: blocks and votes have no signatures, because every node
is honest, and a vote names its voter. The authority set stays that of genesis; sessions are only counted.
"""

VERSION = "0.1.0-SIMULATED"
