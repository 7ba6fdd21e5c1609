"""What all experiments share: options, run folders, stopping, training many networks at once."""
