"""Reads networks from the cluster alone, for `get`, `describe`, `logs`, `rpc`, `wait` and `top`. Called by `cli`."""
