"""TOML text with line numbers, and the layers of inherited files."""
