"""Calibration of a model's probabilities, measured on training rows that it was not trained on."""
