"""The profile of an evaluation set as text, Markdown, tables and plots."""
