"""Tokenize plain text and store it on disk."""

from training.config import Config
from training.data import corpus, tokens
from training.errors import TrainingError
from training.folders import Folders
from training.models.save import tokenizer_directory


def run(config: Config, folders: Folders) -> None:
    """Tokenize the configured files with the tokenizer of `models.init`, the teacher or `data.tokenizer`."""
    if not config.data.files:
        raise TrainingError(f"{config.name}: 'data.files' is empty; list text files in the data folder")
    folder = folders.run(config.name)
    if (folder / "corpus.json").exists():
        print(folder)
        return
    files = [folders.data_file(*name.split("/")) for name in config.data.files]
    print(corpus.build(tokens.load(tokenizer_directory(config, folders)), files, folder))
