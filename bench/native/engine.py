"""The engines of `run.py` in Python: `engine.py onnxruntime MODEL.onnx THREADS`, `engine.py pytorch DIRECTORY THREADS`.

Reads one request per line from the standard input, and answers each with one line.
"""

import json
import sys
import time


def onnxruntime_engine(model: str, threads: int):
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def run(request: dict):
        inputs = {name: numpy.array([ids], dtype=numpy.int64) for name, ids in request.items()}
        inputs["attention_mask"] = numpy.ones_like(inputs["input_ids"])
        started = time.perf_counter()
        start, end = session.run(None, inputs)
        return time.perf_counter() - started, start[0], end[0]

    return run


def pytorch_engine(model: str, threads: int):
    import torch
    from transformers import MobileBertForQuestionAnswering

    torch.set_num_threads(threads)
    network = MobileBertForQuestionAnswering.from_pretrained(model).eval()

    def run(request: dict):
        inputs = {name: torch.tensor([ids]) for name, ids in request.items()}
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        with torch.inference_mode():
            started = time.perf_counter()
            output = network(**inputs)
            seconds = time.perf_counter() - started
        return seconds, output.start_logits[0], output.end_logits[0]

    return run


def main() -> None:
    name, model, threads = sys.argv[1:]
    engine = {"onnxruntime": onnxruntime_engine, "pytorch": pytorch_engine}[name]
    run = engine(model, int(threads))
    for line in sys.stdin:
        seconds, start, end = run(json.loads(line))
        print(json.dumps({"ms": seconds * 1e3, "start": start.tolist(), "end": end.tolist()}), flush=True)


if __name__ == "__main__":
    main()
