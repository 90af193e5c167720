"""Speed beside peers and error rates of the statistics; run by hand and by tox, never by tests."""
