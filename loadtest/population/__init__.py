"""Users to test with: what each is called follows from its number, in Python and in k6 alike."""
