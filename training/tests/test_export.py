"""The exported model equals the trained one, and the engine can read it."""

import hashlib
import json

import pytest
import torch
from safetensors.torch import load_file

from training import engine
from training.config import Student
from training.errors import TrainingError
from training.models import build as models
from training.models.save import save_model
from training.steps import export as export_step
from training.steps import finetune
from training.tests.conftest import TINY_STUDENT, tiny

try:
    ENGINE = engine.find()
except TrainingError as missing:
    ENGINE, MISSING = None, str(missing)
else:
    MISSING = ""


def test_export_keeps_the_weights_and_lists_its_files(world):
    config = tiny("shipped", models={"init": "models:tiny"})
    finetune.run(config, world)
    export_step.run(config, world)
    folder = world.run("shipped") / "export"
    trained = load_file(world.run("shipped") / "model" / "model.safetensors")
    exported = load_file(folder / "model.safetensors")
    assert exported.keys() == trained.keys()
    for name, tensor in trained.items():
        assert exported[name].dtype == torch.float16
        assert torch.allclose(exported[name].float(), tensor, rtol=1e-3, atol=1e-7)
    manifest = json.loads((folder / "files.json").read_text())
    assert (manifest["format"], manifest["dtype"]) == (1, "f16")
    assert {f["name"] for f in manifest["files"]} == {p.name for p in folder.iterdir()} - {"files.json"}
    for entry in manifest["files"]:
        content = (folder / entry["name"]).read_bytes()
        assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    assert tokenizer["truncation"] is None and tokenizer["padding"] is None
    assert "| shipped | sst2 | 6 |" in (folder / "README.md").read_text()


@pytest.mark.parametrize("value", [1e5, float("nan")])
def test_weights_too_large_for_f16_are_rejected(value):
    with pytest.raises(TrainingError, match="layer.weight: has values that f16 cannot represent"):
        export_step.half("layer.weight", torch.tensor([1.0, value]))


ARCHITECTURES = {
    "mobilebert": {},
    "without-opt": {"normalization_type": "layer_norm", "hidden_act": "gelu"},
    "tiny-attention": {"use_bottleneck_attention": True, "key_query_shared_bottleneck": False},
    "no-trigram": {"trigram_input": False, "num_feedforward_networks": 1},
    "ib-bert": {
        "family": "ib-bert",
        "num_feedforward_networks": 1,
        "normalization_type": "layer_norm",
        "hidden_act": "gelu",
        "key_query_shared_bottleneck": False,
        "intra_bottleneck_size": 64,
        "num_attention_heads": 4,
        "intermediate_size": 48,
    },
}


@pytest.mark.skipif(ENGINE is None, reason=MISSING)
@pytest.mark.parametrize("task", ["sst2", "squad"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_engine_computes_the_same_logits(world, tmp_path, name, task):
    student = Student(**(TINY_STUDENT | {"intra_bottleneck_size": 32, "intermediate_size": 64} | ARCHITECTURES[name]))
    torch.manual_seed(11)
    model = models.build(models.student_config(student, task), task).eval()
    with torch.no_grad():  # nontrivial gains and biases, to catch wrong formulas
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    folder, shipped = tmp_path / "model", tmp_path / "shipped"
    save_model(model, world.models / "tiny", folder)
    export_step.export(folder, shipped)
    export_step.write_manifest(shipped, "f16")
    compare(models.load(shipped, task).eval(), shipped, tmp_path, task)


@pytest.mark.skipif(ENGINE is None, reason=MISSING)
def test_engine_reads_the_teacher(world, tmp_path):
    compare(models.load(world.models / "tiny", "sst2").eval(), world.models / "tiny", tmp_path, "sst2")


@pytest.mark.skipif(ENGINE is None, reason=MISSING)
@pytest.mark.parametrize("dtype", ["q8", "q4"])
def test_recipe_reads_weights_quantized_by_the_engine(world, tmp_path, dtype):
    packed = tmp_path / dtype
    ENGINE.quantize(world.models / "tiny", dtype, packed)
    compare(models.load(packed, "sst2").eval(), packed, tmp_path, "sst2")


def compare(model, folder, tmp_path, task):
    """Run both on the same ids, one row of which is shorter."""
    ids = torch.randint(1000, 1500, (2, 9), generator=torch.Generator().manual_seed(2))
    kinds = torch.tensor([[0] * 4 + [1] * 5] * 2)
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    given = {"input_ids": ids.tolist(), "token_type_ids": kinds.tolist(), "attention_mask": mask.tolist()}
    (tmp_path / "input.json").write_text(json.dumps(given))
    output = tmp_path / "output.safetensors"
    ENGINE.run("run", "--model", folder, "--input", tmp_path / "input.json", "--output", output, "--device", "cpu")
    found = load_file(output)
    with torch.no_grad():
        wanted = model(input_ids=ids, token_type_ids=kinds, attention_mask=mask)
    names = ("start_logits", "end_logits") if task == "squad" else ("logits",)
    for name in names:
        expected, engine = getattr(wanted, name), found[name]
        if task == "squad":  # padded positions are ignored
            expected, engine = expected[mask == 1], engine[mask == 1]
        assert expected.numel() > 2
        assert torch.allclose(engine, expected, rtol=1e-3, atol=1e-4), (engine - expected).abs().max()
