"""Pictures of routes: street views and maps."""
