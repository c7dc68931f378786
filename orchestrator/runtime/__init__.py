"""Runtime code, offline: reads blobs and executes them."""
