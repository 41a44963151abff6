"""Tests for the training package: `python -m pytest training/tests`."""
