"""Reading data files and making batches of token ids."""
