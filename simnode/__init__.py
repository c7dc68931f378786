"""simnode: a simulated Polkadot client. Honest about it: banner, `system_version` and build info say SIMULATED.

`core` is the protocol, a pure state machine; `state` the state transition, behind a port; the other modules are the
shell: sockets, clock, disk, RPC and metrics. Run as `python3 -m simnode`.

What is simulated and what is not: blocks, votes, statements and bitfields are real messages between real processes, and
fork choice, GRANDPA's rules and the upgrade machinery are the protocol's own. Nobody signs blocks or votes: every node
is honest, and a vote says who cast it. The authority set stays that of genesis, sessions only count.
"""

VERSION = "0.1.0-SIMULATED"
