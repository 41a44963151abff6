"""One module a step of the recipe; each has `run(config, places)`."""
