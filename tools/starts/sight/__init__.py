"""Starts that play GeneralPoints by sight: a start in words with a tower before it."""
