"""Scores of a shipped model by the project's engine, as lines of its model card: one file per kind of task."""
