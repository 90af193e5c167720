"""Several questions and two runs compared at once."""
