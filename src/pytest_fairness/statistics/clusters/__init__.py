"""Several images of one person or design: intervals of samples that come in clusters."""
