"""Computes keys, chain specs and genesis hashes, all offline. Called by `render`, the init containers and simnode."""
