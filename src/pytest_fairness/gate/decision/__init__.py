"""Verdicts: limits, corrections for several questions, waivers and what stops a release."""
