"""A checkpoint folder always contains one complete write, whenever the writer was stopped."""

import errno
import json
import os

import pytest

from training import bundles
from training.errors import TrainingError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoint"


def bundle(step: int, megabytes: int = 20) -> bundles.Bundle:
    """A bundle of a constant and a changing piece."""
    same = bytes(range(256)) * (megabytes * 2**12)
    return bundles.Bundle({"step": step}, {"same": same, "state": step.to_bytes(4, "big") * 2**20})


def write(folder, content):
    bundles.write(folder, content, folder.with_name("staging"))


def test_bundle_round_trips(folder):
    assert bundles.read(folder) is None
    for step in (1, 2):
        write(folder, bundle(step))
        assert bundles.read(folder) == bundle(step)
        sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
        assert set(sizes) == {"index.json", *(f for f in sizes if f.startswith("part-"))}
        assert max(sizes.values()) < 16 * 2**20
        assert len(sizes) == 3
    assert [path.name for path in folder.parent.iterdir()] == ["checkpoint"]


def test_unchanged_parts_are_not_rewritten(folder):
    write(folder, bundle(1))
    before = {path: path.stat().st_mtime_ns for path in folder.glob("part-*")}
    write(folder, bundle(2))
    kept = [path for path, stamp in before.items() if path.exists() and path.stat().st_mtime_ns == stamp]
    assert len(kept) == 1


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_killed_write_leaves_the_previous_one(folder, monkeypatch, moves):
    write(folder, bundle(1))
    move, done = bundles.shutil.move, []

    class Killed(BaseException):
        pass

    def die(source, target):
        if len(done) == moves:
            raise Killed
        done.append(target)
        return move(source, target)

    def die_at_the_index(*_):
        raise Killed

    different = bundles.Bundle({"step": 2}, {"state": bytes(20 * 2**20)})
    different.pieces["end"] = b"end" * 2**20
    monkeypatch.setattr(bundles.shutil, "move", die)
    monkeypatch.setattr(bundles, "write_whole", die_at_the_index)
    with pytest.raises(Killed):
        write(folder, different)
    monkeypatch.undo()
    assert bundles.read(folder) == bundle(1)
    write(folder, different)
    assert bundles.read(folder) == different
    assert {path.name for path in folder.iterdir()} == {
        "index.json",
        *(part["file"] for part in json.loads((folder / "index.json").read_text())["parts"]),
    }


def test_full_disk_leaves_the_previous_write(folder, monkeypatch):
    write(folder, bundle(1))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match="the disk is full; the previous contents are untouched"):
        write(folder, bundle(2))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert list(folder.parent.iterdir()) == [folder]


def test_missing_or_modified_part_is_reported(folder):
    write(folder, bundle(1))
    part = sorted(folder.glob("part-*"))[0]
    content = part.read_bytes()
    part.write_bytes(content[:-1] + b"!")
    with pytest.raises(TrainingError, match=f"{part.name}: does not match its hash"):
        bundles.read(folder)
    part.unlink()
    with pytest.raises(TrainingError, match=f"{part.name}: missing"):
        bundles.read(folder)


@pytest.mark.parametrize("text", ["rubbish", "[]", '{"format": 9}', '{"format": 1}'])
def test_invalid_index_is_rejected(folder, text):
    folder.mkdir()
    (folder / "index.json").write_text(text)
    with pytest.raises(TrainingError, match="index.json"):
        bundles.read(folder)


def test_truncated_part_of_a_killed_move_is_written_again(folder):
    write(folder, bundle(1))
    part = max(folder.glob("part-*"), key=lambda path: path.stat().st_size)
    part.write_bytes(part.read_bytes()[:1000])
    write(folder, bundle(1))
    assert bundles.read(folder) == bundle(1)
