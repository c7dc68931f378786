"""Runtime code, offline: what a blob is, and (later) running it."""
