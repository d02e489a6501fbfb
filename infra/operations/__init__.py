"""What `make up`, `status`, `down` and `clean` do with a stack that is set up."""
