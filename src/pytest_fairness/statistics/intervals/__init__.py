"""Confidence intervals of rates, differences and ratios."""
