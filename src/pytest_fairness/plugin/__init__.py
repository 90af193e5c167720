"""The pytest plugin: hooks, options, the session and what a run prints."""
