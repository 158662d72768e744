"""Real servers that keep repositories, started for the tests on this machine's loopback address alone."""
