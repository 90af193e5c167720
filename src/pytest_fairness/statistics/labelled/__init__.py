"""Rates of a pool of samples of which only some are labelled, chosen with known probabilities."""
