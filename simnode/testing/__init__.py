"""For tests: specs of small networks, and explorers that run the pure core in virtual time with seeded faults."""
