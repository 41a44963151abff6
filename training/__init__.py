"""Train MobileBERT checkpoints by knowledge transfer: one command per step, see README.md."""
