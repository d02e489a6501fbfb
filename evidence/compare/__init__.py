"""`make compare`: the release as a baseline and as it is meant to be, both deployed here, measured in turn."""
