"""V-IRL: follow a route through a city by instructions."""
