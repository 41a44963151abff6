#!/usr/bin/env python3
"""Compares two files of windows (`run_squad_windows.py`, `mobilebert tokens --squad FILE --json`), line by line.

  compare_windows.py expected.jsonl found.jsonl

Exits with 0 if they contain the same windows in the same order, 1 if not, 2 if a file isn't a list of windows. First it
tests itself: a changed field of a window, for each field, and a missing line must be detected.
"""

import copy
import itertools
import json
import sys

FIELDS = ["id", "window", "input_ids", "token_type_ids", "offsets", "max_context"]


def differences(expected, found):
    """(line, field) of everything that differs."""
    for number, (left, right) in enumerate(itertools.zip_longest(expected, found), 1):
        if left is None or right is None:
            yield number, "number of windows"
            return
        for field in FIELDS:
            if left.get(field) != right.get(field):
                yield number, field


def detects_errors(windows):
    """Return whether the comparison detects a wrong window."""
    if any(differences(windows, windows)):
        return False
    wrong = {
        "id": lambda value: value + "x",
        "window": lambda value: value + 1,
        "input_ids": lambda value: [*value[:-1], value[-1] + 1],
        "token_type_ids": lambda value: value[:-1],
        "offsets": lambda value: [[a, b + 1] for a, b in value],
        "max_context": lambda value: [not flag for flag in value],
    }
    for field, change in wrong.items():
        changed = copy.deepcopy(windows)
        changed[-1][field] = change(changed[-1][field])
        if list(differences(windows, changed)) != [(len(windows), field)]:
            return False
    return bool(list(differences(windows, windows[:-1]))) and bool(
        list(differences(windows[:-1], windows))
    )


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        expected, found = (read(path) for path in arguments)
    except (OSError, ValueError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    if not expected or any(set(FIELDS) - set(window) for window in expected + found):
        print(
            f"not a list of windows: each line needs {', '.join(FIELDS)}",
            file=sys.stderr,
        )
        return 2
    if not detects_errors(expected[:3]):
        print("the comparison doesn't detect a wrong window", file=sys.stderr)
        return 2
    wrong = list(itertools.islice(differences(expected, found), 10))
    for number, field in wrong:
        print(f"line {number}: {field} differs")
    if not wrong:
        print(f"{len(expected)} windows are equal")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
