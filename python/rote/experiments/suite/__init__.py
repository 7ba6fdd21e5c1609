"""The suite: every run that the claims need."""
