"""Train MobileBERT checkpoints by knowledge transfer: one command a step, see README.md."""
