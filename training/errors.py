"""The one error a user is meant to read: one line, what is wrong and what to do."""


class TrainingError(Exception):
    """A fault of input or surroundings. The command line prints it as one line and exits with 1."""
