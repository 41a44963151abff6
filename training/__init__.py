"""Train MobileBERT checkpoints by knowledge transfer: one command per step. See README.md."""
