"""Unanswerable questions made from answerable ones, since SQuAD v1.1's training file has no others."""
