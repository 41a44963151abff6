"""Model definitions, initialization and loading."""
