"""Values of metrics and their intervals, computed from counts."""
