"""Figures for those who have to decide: comparisons, what indexes give, and reports that keep them."""
