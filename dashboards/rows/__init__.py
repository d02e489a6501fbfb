"""The rows of the dashboards; each is a list of lines, and each line a list of panels side by side."""
