"""The models under test of the reference gate: one file a model, one fixture a file."""
