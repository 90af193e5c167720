"""What a policy can decide with how many images, before any model is run."""
