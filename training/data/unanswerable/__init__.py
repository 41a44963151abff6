"""Questions without an answer, built from questions that have one: SQuAD v1.1's training file holds no others."""
