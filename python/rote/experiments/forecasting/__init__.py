"""How long a run takes, and how much memory: measured on this machine before it starts."""
