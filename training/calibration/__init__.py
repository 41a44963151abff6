"""What a model's probabilities are worth, measured on training rows that it was not trained on."""
