"""The paper's own routes and panoramas, read from disk."""
