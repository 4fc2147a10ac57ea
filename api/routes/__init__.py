"""The routes, each area with its schemas beside it."""
