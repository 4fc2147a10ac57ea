"""Aid: from an application to a proven payment."""
