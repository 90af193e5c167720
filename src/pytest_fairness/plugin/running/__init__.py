"""What a run does once for all its tests and processes: models, searches, and what is shared."""
