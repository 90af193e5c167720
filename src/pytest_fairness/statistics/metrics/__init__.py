"""What a metric is: declarations without any computation."""
