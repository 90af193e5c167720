"""The run record: what one run leaves, and its parts."""
