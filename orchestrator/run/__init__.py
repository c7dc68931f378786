"""A rehearsal from its first object to its verdict. `lifecycle.rehearse` is the way in; called by `cli.run`."""
