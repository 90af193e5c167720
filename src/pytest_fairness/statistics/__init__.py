"""Counts, metrics and their intervals: numbers in, numbers out; no files, no pytest, no torch."""
