"""From the scores of batches, computed or remembered, to the answers of a model."""
