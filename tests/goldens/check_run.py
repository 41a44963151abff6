"""Compares `mobilebert run` with `transformers` on directories that `save_pretrained` wrote.

`python tests/goldens/check_run.py --program target/release/mobilebert [--device gpu] [--random 40] [--seed 1]`

Every small model in `cases.py` and `--random` others with random shapes, with every head, are saved in F32, F16 and BF16,
in one file and in shards, and in the forms of older checkpoints (tensors without the encoder's prefix, tied tensors twice,
norms called gamma and beta, integer buffers). Names, shapes and values of all outputs must match those of `transformers` in
float64 on the same (rounded) weights, within 1e-4 of the row's root mean square or twice the error of float32.
"""

import argparse
import copy
import json
import random
import subprocess
import tempfile
from pathlib import Path

import cases
import numpy as np
import torch
import transformers
from make import TOLERANCE, as_rows, error
from safetensors.torch import load_file, save_file

import models

FORMS = ("f32", "f16", "bf16", "sharded", "no-prefix", "with-prefix", "tied-twice", "gamma", "buffers")
STORED = {"f16": torch.float16, "bf16": torch.bfloat16}


def random_case(number: int, chance: random.Random) -> cases.Case:
    """A model with random sizes, switches and head."""
    heads = chance.randint(1, 5)
    width = heads * chance.randint(1, 21)
    family = chance.choice(["MobileBert", "MobileBert", "MobileBert", "Bert", "DistilBert"])
    endings = [cases.QA, cases.SEQUENCE, cases.TOKEN, cases.MLM, cases.CHOICE, cases.ENCODER]
    if family != "DistilBert":
        endings += [cases.PRETRAINING, cases.NSP]
    head = chance.choice(endings)
    activation = chance.choice(["relu", "gelu", "gelu_new", "silu", "tanh"])
    longest = chance.randint(12, 140)
    settings = {"vocab_size": chance.randint(30, 700), "max_position_embeddings": longest}
    if head in (cases.SEQUENCE, cases.TOKEN):
        settings["num_labels"] = chance.randint(1, 12)
    if chance.random() < 0.2:
        settings["tie_word_embeddings"] = False
    layers, inner = chance.randint(1, 5), chance.randint(1, 190)
    if family == "DistilBert":
        settings |= {"dim": width, "n_heads": heads, "n_layers": layers, "hidden_dim": inner, "activation": activation}
    else:
        settings |= {
            "num_attention_heads": heads,
            "num_hidden_layers": layers,
            "intermediate_size": inner,
            "hidden_act": activation,
            "type_vocab_size": chance.randint(1, 3),
            "layer_norm_eps": chance.choice([1e-12, 1e-5, 1e-2]),
            "hidden_size": width,
        }
    if family == "MobileBert":
        bottleneck = chance.random() < 0.75
        hidden = chance.randint(2, 130) if bottleneck else width
        settings |= {
            "hidden_size": hidden,
            "intra_bottleneck_size": width if bottleneck else chance.randint(1, 50),
            "use_bottleneck": bottleneck,
            "embedding_size": hidden if chance.random() < 0.2 else chance.randint(1, hidden),
            "trigram_input": chance.random() < 0.6,
            "key_query_shared_bottleneck": chance.random() < 0.6,
            "use_bottleneck_attention": chance.random() < 0.4,
            "num_feedforward_networks": chance.randint(1, 5),
            "normalization_type": chance.choice(["no_norm", "layer_norm"]),
            "classifier_activation": chance.random() < 0.7,
        }
    return cases.Case(f"random-{number}", f"{family}{head}", settings)


def random_inputs(model: torch.nn.Module, choices: bool, chance: random.Random) -> dict[str, list]:
    """Ids, token types and a mask with holes and tails; sometimes without the optional ones."""
    config = model.config
    batch, sequence = chance.randint(1, 4), chance.choice([1, 2, 3, 17, config.max_position_embeddings])
    sequence = min(sequence, config.max_position_embeddings)
    types = getattr(config, "type_vocab_size", 1)
    wide = 3 * batch if choices else batch

    def rows(draw):
        flat = [[draw(token) for token in range(sequence)] for _ in range(wide)]
        return [flat[start : start + 3] for start in range(0, wide, 3)] if choices else flat

    inputs = {"input_ids": rows(lambda _: chance.randrange(config.vocab_size))}
    if chance.random() < 0.8:
        end = chance.randint(1, sequence)
        inputs["attention_mask"] = rows(lambda token: int(token == 0 or (token < end and chance.random() < 0.9)))
    if chance.random() < 0.8:
        inputs["token_type_ids"] = rows(lambda _: chance.randrange(types))
    return inputs


def save(model: torch.nn.Module, form: str, folder: Path) -> torch.nn.Module:
    """Writes the model in one of the forms; returns it with the rounded weights."""
    model = copy.deepcopy(model)
    if form in STORED:
        # Not `model.half()`, which would also change buffers and the configuration.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(parameter.to(STORED[form]).float())
        rounded = copy.deepcopy(model).to(STORED[form])
        rounded.save_pretrained(folder)
        return model
    shard = {"max_shard_size": "30KB"} if form == "sharded" else {}
    model.save_pretrained(folder, **shard)
    file = folder / "model.safetensors"
    if form in ("f32", "sharded") or not file.exists():
        return model
    tensors = load_file(file)
    prefix = model.base_model_prefix + "."
    if form == "no-prefix":
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    elif form == "with-prefix" and model.base_model is model:
        tensors = {prefix + name: tensor for name, tensor in tensors.items()}
    elif form == "tied-twice":
        tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    elif form == "gamma":
        tensors = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
            for name, tensor in tensors.items()
        }
    elif form == "buffers":
        tensors[f"{prefix}embeddings.position_ids"] = torch.arange(7).expand(1, -1).clone()
        tensors["something.else"] = torch.zeros(3, dtype=torch.bool)
    save_file(tensors, file, metadata={"format": "pt"})
    return model


def compare(model: torch.nn.Module, inputs: dict, wanted: tuple[bool, bool], found: dict) -> tuple[float, list[str]]:
    """The worst max |Δ| / rms as a fraction of the allowed one, and the problems found."""
    filled = {"attention_mask": None, "token_type_ids": None} | inputs
    filled = {name: values for name, values in filled.items() if values is not None}
    single = models.outputs(model, filled, *wanted)
    exact = models.outputs(copy.deepcopy(model).double(), filled, *wanted)
    problems, worst = [], 0.0
    if set(found) != set(exact):
        problems.append(f"outputs {sorted(set(found) ^ set(exact))} are only on one side")
    for name in set(found) & set(exact):
        if tuple(found[name].shape) != tuple(exact[name].shape):
            problems.append(f"{name} is {tuple(found[name].shape)}, not {tuple(exact[name].shape)}")
            continue
        rows = as_rows(exact[name])
        allowed = max(TOLERANCE, 2 * error(rows, as_rows(single[name])))
        share = error(rows, as_rows(found[name])) / allowed
        worst = max(worst, share)
        if not share <= 1:
            problems.append(f"{name} has an error of {share * allowed:.2g}, {allowed:.2g} allowed")
    return worst, problems


def check(program: str, device: str, case: cases.Case, form: str, chance: random.Random) -> tuple[float, list[str]]:
    """Saves, runs and compares one model in one form."""
    model = models.build(case.architecture, case.settings)
    models.fill(model, chance.getrandbits(32))
    inputs = random_inputs(model, case.architecture.endswith(cases.CHOICE), chance)
    wanted = (chance.random() < 0.7, chance.random() < 0.5)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = save(model, form, folder)
        (folder / "in.json").write_text(json.dumps(inputs))
        command = [
            program,
            "run",
            "--device",
            device,
            "--model",
            name,
            "--input",
            f"{name}/in.json",
            "--output",
            f"{name}/out.safetensors",
        ]
        command += ["--hidden-states"] * wanted[0] + ["--attentions"] * wanted[1]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            return np.inf, [f"exit {done.returncode}: {done.stderr.strip()}"]
        return compare(model, inputs, wanted, load_file(folder / "out.safetensors"))


def main() -> None:
    """Checks all models; exits with 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="path of the `mobilebert` program")
    parser.add_argument("--device", default="cpu", choices=["cpu", "gpu"])
    parser.add_argument("--random", type=int, default=40, help="number of models with random shapes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="run only the cases whose name contains this")
    arguments = parser.parse_args()
    transformers.logging.disable_progress_bar()
    chance = random.Random(arguments.seed)
    torch.manual_seed(arguments.seed)
    runs = [(case, FORMS[number % len(FORMS)]) for number, case in enumerate(cases.VARIANTS)]
    for number in range(arguments.random):
        runs.append((random_case(number, chance), chance.choice(FORMS)))
    failed = done = 0
    for case, form in runs:
        own = random.Random(f"{arguments.seed} {case.name} {form}")
        if arguments.only not in case.name:
            continue
        worst, problems = check(arguments.program, arguments.device, case, form, own)
        done += 1
        failed += bool(problems)
        print(f"{case.name} {case.architecture} {form}: {worst:.3f} of the allowed error", flush=True)
        for problem in problems:
            print(f"  WRONG {problem}\n  {case.settings}", flush=True)
    print(f"{done} directories, {failed} wrong")
    raise SystemExit(1 if failed or not done else 0)


if __name__ == "__main__":
    main()
