"""A network is ready when it does what a network does. `ladder` is the way in; called by `cli` and `run`."""
