"""What another package can add to pytest-fairness, one file each."""
