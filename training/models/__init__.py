"""Building, loading and saving the models."""
