"""What is watched: the targets, the rules that notice a breach, and who is told."""
