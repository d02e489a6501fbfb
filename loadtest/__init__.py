"""Load: the k6 suite, and the gate that judges a release by a run of it."""
