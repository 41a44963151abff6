#!/usr/bin/env python3
"""Scores of mechanical predictions on SQuAD, by the definitions of `evaluate-v1.1.py` and `evaluate-v2.0.py`.

A reference for `src/task/metrics`: a question's prediction is the first two words of its last gold answer, preceded by
"the" if the id ends in an even hexadecimal digit. For v2.0 it is empty if the id's last digit is a multiple of 4, and
"nothing" if there is no gold answer. Standard library only.

  squad_scores.py dev-v1.1.json | dev-v2.0.json
"""

import collections
import json
import re
import string
import sys


def normalize(text):
    text = "".join(char for char in text.lower() if char not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact(prediction, gold):
    return float(normalize(prediction) == normalize(gold))


def f1(prediction, gold, second):
    prediction, gold = normalize(prediction).split(), normalize(gold).split()
    if second and (not prediction or not gold):
        return float(prediction == gold)
    same = sum((collections.Counter(prediction) & collections.Counter(gold)).values())
    if same == 0:
        return 0.0
    precision, recall = same / len(prediction), same / len(gold)
    return 2 * precision * recall / (precision + recall)


def predict(question, second):
    digit = int(question["id"][-1], 16)
    if second and digit % 4 == 0:
        return ""
    if not question["answers"]:
        return "nothing"
    words = " ".join(question["answers"][-1]["text"].split()[:2])
    return "the " + words if digit % 2 == 0 else words


def main(path):
    with open(path, encoding="utf-8") as file:
        data = json.load(file)
    second = data["version"].startswith("v2")
    groups = {"": [], "HasAns_": [], "NoAns_": []}
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                golds = [answer["text"] for answer in question["answers"]]
                if second:
                    golds = [gold for gold in golds if normalize(gold)] or [""]
                found = predict(question, second)
                score = (
                    max(exact(found, gold) for gold in golds),
                    max(f1(found, gold, second) for gold in golds),
                )
                groups[""].append(score)
                groups["HasAns_" if question["answers"] else "NoAns_"].append(score)
    for name, scores in groups.items():
        if scores and (second or not name):
            means = [100 * sum(column) / len(scores) for column in zip(*scores)]
            print(
                f"{name}exact {means[0]!r} {name}f1 {means[1]!r} {name}total {len(scores)}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
