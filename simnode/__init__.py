"""simnode: a simulated Polkadot client. Its banner, `system_version` and build info all say SIMULATED.

`core` is the protocol, a pure state machine. `state` is the state transition, behind a protocol (`state.port`). The
other modules are the shell: sockets, clock, disk, RPC and metrics. Run it with `python3 -m simnode`.

Real are: blocks, votes, statements and bitfields are messages between real processes, and fork choice, GRANDPA's rules
and the upgrade mechanism are the protocol's own. Simulated are: nobody signs blocks or votes, because every node is
honest, and a vote names its voter. The authority set stays that of genesis; sessions are only counted.
"""

VERSION = "0.1.0-SIMULATED"
