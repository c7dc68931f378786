"""Gates: when a window is, what was measured in it, what that means, and what all of it means together."""
