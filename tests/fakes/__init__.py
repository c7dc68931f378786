"""Stand-ins with bad manners for what tests must not take for granted."""
