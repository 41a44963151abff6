"""Scores of a shipped model with the project's engine, as lines of its model card: one module per kind of task."""
