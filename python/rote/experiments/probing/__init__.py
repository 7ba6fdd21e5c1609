"""What an experiment measures along training, and the verdict."""
