"""Runtime upgrades the way production does them: authorised by root, applied by anybody, followed until they settle."""
