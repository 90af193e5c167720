"""Scores that were computed before, found again by all that decides them; in doubt, nothing is found."""
