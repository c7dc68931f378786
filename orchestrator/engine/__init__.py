"""Engines run a Pulumi program, with the Pulumi CLI or without it. `choice` is the entry point for `cli` and `run`."""
