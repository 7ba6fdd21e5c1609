"""Sentences made from the numbers. Nothing is claimed here that the runs do not show."""
