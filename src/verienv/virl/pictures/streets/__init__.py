"""Streets, drawn from a city's network and places."""
