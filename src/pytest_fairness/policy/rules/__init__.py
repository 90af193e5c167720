"""Rules of a policy, resolved and checked."""
