"""Accepting, verifying and signing a run record."""
