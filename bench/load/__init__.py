"""The load generator: closed and open loops over raw HTTP/1.1, in a process of its own."""
