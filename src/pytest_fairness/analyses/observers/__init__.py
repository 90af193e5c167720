"""What each analysis observes when a rule of a policy asks for it."""
