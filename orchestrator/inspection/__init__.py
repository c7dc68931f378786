"""What `get`, `describe`, `logs`, `rpc`, `wait` and `top` tell of networks, from the cluster alone. Called by `cli`."""
