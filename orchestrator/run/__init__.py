"""Runs a rehearsal, from the first object to the verdict. `lifecycle.rehearse` is the entry point for `cli.run`."""
