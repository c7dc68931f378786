"""Keys, chain specs and genesis hashes, all offline. Called by `render`, by the init containers and by simnode."""
