"""Whether a question can be answered at all, and what an undecided one lacks."""
