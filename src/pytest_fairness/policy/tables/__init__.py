"""The tables and keys that a policy may hold, and how problems are worded."""
