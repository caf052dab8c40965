"""Doors: each turns one way of asking into calls of the service, and knows nothing of the other doors."""
