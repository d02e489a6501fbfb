"""What every container has to obey: checked at each preview, and by tests on what runs."""
