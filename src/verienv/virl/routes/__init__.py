"""Routes through a city: plans, the expert's path, instructions, and drawing one."""
