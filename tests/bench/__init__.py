"""Figures of speed, as ratios within one run where that is possible. Run by `make bench`."""
