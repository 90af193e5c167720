"""Whether a policy tightens what it inherits."""
