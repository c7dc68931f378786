"""What runs a Pulumi program, with the Pulumi CLI or without. `choice` is the way in; called by `cli` and `run`."""
