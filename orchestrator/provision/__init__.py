"""Brings networks up on a cluster and takes them down. `network` is the entry point for `cli` and `run`."""
