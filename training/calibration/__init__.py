"""Calibration of a model's probabilities on training rows that were held out."""
