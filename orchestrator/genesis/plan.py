"""The plan of a chain's genesis, for every kind of runtime. `chainspec` makes it; `model` and `wasm` carry it out.

It contains only public keys and no secrets.
"""

from dataclasses import dataclass
from typing import Any

from orchestrator.spec.testnet import HrmpChannel, Parachain, Relaychain


@dataclass(frozen=True, slots=True)
class ChainGenesis:
    """One chain's spec as the nodes get it, and its genesis. A `raw` spec holds storage, a plain one a configuration.

    `head` is the encoded header of block 0, `code` the runtime of block 0. A parachain is registered with them.
    """

    name: str
    para_id: int | None
    spec: bytes
    genesis_hash: str
    raw: bool
    head: bytes
    code: bytes


@dataclass(frozen=True, slots=True)
class Authority:
    """A validator or collator of genesis. `stash` is 32 bytes, or 20 on a chain with Ethereum accounts."""

    stash: bytes
    session: tuple[tuple[str, bytes], ...]
    invulnerable: bool
    balance: int | None
    stake: int | None


@dataclass(frozen=True, slots=True)
class ChainPlan:
    """One chain. Only a relay chain has `registered` and `channels`; only a parachain has `relay_id`."""

    name: str
    identity: str
    title: str
    protocol: str
    fork_id: str | None
    chain: Relaychain | Parachain
    authorities: tuple[Authority, ...]
    sudo: bytes
    dev_keys: bool
    slot: float
    relay_id: str | None = None
    network_policy: bool = True
    registered: tuple[ChainGenesis, ...] = ()
    parachains: tuple[Parachain, ...] = ()
    channels: tuple[HrmpChannel, ...] = ()

    @property
    def para_id(self) -> int | None:
        return self.chain.id if isinstance(self.chain, Parachain) else None

    def outer(self, genesis: dict[str, Any]) -> dict[str, Any]:
        """A chain spec with this genesis and the parts that every spec has (`client/chain-spec/src/chain_spec.rs`)."""
        properties: dict[str, Any] = {"ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "UNIT"}
        spec: dict[str, Any] = {
            "name": self.title,
            "id": self.identity,
            "chainType": "Local",
            "bootNodes": [],
            "telemetryEndpoints": None,
            "protocolId": self.protocol,
            "properties": properties,
            "codeSubstitutes": {},
            "genesis": genesis,
        }
        if self.fork_id is not None:
            spec["forkId"] = self.fork_id
        if isinstance(self.chain, Parachain):
            spec |= {"para_id": self.chain.id, "relay_chain": self.relay_id}
            if self.chain.ethereum_accounts:
                properties["isEthereum"] = True
        return spec

    def registration(self, genesis: ChainGenesis) -> list[Any]:
        """An entry of `paras.paras` in the form of `ParaGenesisArgs`. Its field is named `parachain`, not `para_kind`.

        A chain without cores is an on-demand parachain; genesis assigns it no core.
        """
        cores = next((each.cores for each in self.parachains if each.id == genesis.para_id), 1)
        head, code = hexadecimal(genesis.head), hexadecimal(genesis.code)
        return [genesis.para_id, {"genesis_head": head, "validation_code": code, "parachain": cores > 0}]


def hexadecimal(data: bytes) -> str:
    return "0x" + data.hex()
