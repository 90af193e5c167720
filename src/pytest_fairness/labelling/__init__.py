"""Labels that are asked for in rounds, for images that a model answered already."""
