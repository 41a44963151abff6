"""One module per step of the recipe."""
