"""A gate of one's own: what `pytest-fairness init` proposes, and the files that it writes."""
