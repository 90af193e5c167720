"""The comparison with the last accepted release, image by image."""
