"""Floor 5: experiments that yield plain data, and the figures that draw them. Knows nothing of the app."""
