"""The labels of a model's outputs and groups of them."""
