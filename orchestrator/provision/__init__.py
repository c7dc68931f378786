"""A network comes to a cluster and goes again. `network` is the way in; called by `cli` and `run`."""
