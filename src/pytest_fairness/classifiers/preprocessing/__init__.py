"""From decoded images to batches of a model's input."""
