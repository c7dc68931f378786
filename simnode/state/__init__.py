"""The state transition: what a block does to the chain's state. Consensus knows it only through `port`."""
