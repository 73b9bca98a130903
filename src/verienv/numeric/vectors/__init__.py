"""Vector environments in arrays over the numeric environments: many episodes stepped together on one core."""
