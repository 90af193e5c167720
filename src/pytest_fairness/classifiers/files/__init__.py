"""Weights and archives on disk, read without running code."""
