"""Questions, verdicts and the run record: what the policy asks, answered from counts."""
