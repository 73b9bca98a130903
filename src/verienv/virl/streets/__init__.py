"""Street views, drawn: where fronts stand, what they look like, and the panorama from a position."""
