"""The controller and its agents: they disturb a network on purpose, upgrade its runtimes, and undo what they did."""
