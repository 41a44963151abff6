"""The exception for errors shown to the user: one line that says what is wrong and what to do."""


class TrainingError(Exception):
    """An error in the input or the environment. The command line prints it on one line and exits with status 1."""
