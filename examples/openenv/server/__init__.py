"""The server for OpenEnv."""
