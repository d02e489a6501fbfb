"""Sessions: what an access token stands for."""
