"""What nodes say about themselves: the catalogue of signals, and the one door to Prometheus."""
