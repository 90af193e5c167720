"""One module for each kind of model that can be loaded."""
