"""The configuration of the public edge, and the certificate that it shows."""
