"""The safetensors format with torch alone: a header length of eight bytes, a JSON header, and the data.

The files are compatible with the `safetensors` library, which a machine that only trains may not have.
"""

import json
from pathlib import Path

import torch

from training.errors import TrainingError

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
NAMES = {kind: name for name, kind in TYPES.items()}
LONGEST_HEADER = 100_000_000


def to_bytes(tensors: dict[str, torch.Tensor], metadata: dict[str, str] | None = None) -> bytearray:
    """Serialize `tensors`, sorted by name."""
    header, place, listed = {}, 0, sorted(tensors.items())
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in listed:
        size = tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + size],
        }
        place += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    content = bytearray(len(text).to_bytes(8, "little") + text)
    for _, tensor in listed:
        flat = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
        content += flat.numpy().tobytes()
    return content


def from_bytes(content: bytes | bytearray, where: str) -> dict[str, torch.Tensor]:
    """Parse a file; `where` is its name in error messages."""
    try:
        length = int.from_bytes(content[:8], "little")
        if not 0 < length <= min(LONGEST_HEADER, len(content) - 8):
            raise ValueError("the header length is invalid")
        header = json.loads(bytes(content[8 : 8 + length]))
        header.pop("__metadata__", None)
        data = memoryview(bytearray(content))[8 + length :]
        return {name: _tensor(data, entry) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise TrainingError(f"{where}: not a valid safetensors file: {error}") from None


def _tensor(data: memoryview, entry: dict) -> torch.Tensor:
    first, last = entry["data_offsets"]
    kind, shape = TYPES[entry["dtype"]], entry["shape"]
    if not 0 <= first <= last <= len(data):
        raise ValueError("a tensor extends beyond the file")
    if first == last:
        return torch.empty(shape, dtype=kind)
    return torch.frombuffer(bytearray(data[first:last]), dtype=kind).reshape(shape)


def read(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a file in their stored data types."""
    try:
        return from_bytes(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such file") from None
