"""Estimates with intervals, made from counts, observations and variants."""
