"""Metrics of nodes: the catalogue of signals, and the only access to Prometheus."""
