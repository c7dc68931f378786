"""State transition: what a block does to the chain's state. Apart from consensus, which knows it by `port` alone."""
