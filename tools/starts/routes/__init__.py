"""Starts that follow routes in words: their tokens, their cities, their training data, and how they are judged."""
