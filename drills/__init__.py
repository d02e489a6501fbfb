"""Drills: a fault is put into the running stack, and somebody has to be paged for it in time."""
