"""Adapters to training and evaluation libraries. Each module imports its library only inside what needs it."""
