"""`python -m training.tests.sample FOLDER`: random data and a random teacher for trying the GPU kit."""

import sys
from pathlib import Path

import torch
from tokenizers import BertWordPieceTokenizer

from training.folders import Folders
from training.models import build
from training.models.architecture import Architecture
from training.models.save import save_model
from training.tests.conftest import vocabulary, write_data


def main(folder: Path) -> None:
    """Write `data` and `teacher-start`, which has the architecture of the real teacher."""
    folders = Folders(folder / "data", folder, folder / "runs")
    words = folder / "words"
    words.mkdir(parents=True, exist_ok=True)
    (words / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    BertWordPieceTokenizer(str(words / "vocab.txt")).save(str(words / "tokenizer.json"))
    write_data(folders)
    torch.manual_seed(0)
    sizes = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
    save_model(build.build(Architecture("bert", **sizes), "squad"), words, folder / "teacher-start")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
