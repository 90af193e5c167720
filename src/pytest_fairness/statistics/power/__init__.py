"""How many images a verdict needs, and how many wrong labels it withstands."""
