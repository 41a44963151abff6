"""Tests of the training package: `python -m pytest training/tests`."""
