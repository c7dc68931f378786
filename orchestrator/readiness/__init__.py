"""Finds out whether a network is ready: whether it does what a network does. `ladder` is the entry point."""
