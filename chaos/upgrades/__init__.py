"""Runtime upgrades as in production: root authorises, anybody applies, and the chain is watched until it settles."""
