"""What an experiment reads: data, labels, views and the network."""
