"""How the package is extended: what other packages declare, found by name."""
