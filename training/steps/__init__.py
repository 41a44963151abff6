"""One module per step of the recipe; each has `run(config, places)`."""
