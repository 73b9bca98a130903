"""The world: cities, their streets and places, and where houses stand."""
