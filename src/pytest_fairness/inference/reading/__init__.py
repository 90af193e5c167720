"""Predictions that someone else made: files and tables, compared with the manifest and counted."""
