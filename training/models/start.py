"""Initializes a student from its teacher: word embeddings and bottlenecks by principal components.

The student's inter-block stream is as wide as the teacher's, so both can contain the same vectors. Initially, the
student's embedding approximates the teacher's as well as 128 components can, and each bottleneck reads the directions
in which the stream varies most.
"""

import torch

from training.models.build import encoder


@torch.no_grad()
def principal_axes(
    rows: torch.Tensor, count: int, weights: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weighted mean and the `count` leading principal axes (columns of `[width, count]`) of `rows` `[n, width]`."""
    weights = torch.ones(len(rows)) if weights is None else weights
    weights = (weights / weights.sum())[:, None]
    mean = (rows * weights).sum(0)
    centered = ((rows - mean) * weights.sqrt()).double()
    _, vectors = torch.linalg.eigh(centered.T @ centered)
    return mean, vectors.flip(1)[:, :count].float()


@torch.no_grad()
def start_from_teacher(student: torch.nn.Module, teacher: torch.nn.Module, counts: torch.Tensor | None = None) -> None:
    """Initialize the student's embedding, bottlenecks and head from the teacher; other weights are unchanged.

    `counts`: how often each token of the vocabulary occurs; frequent tokens are weighted more in the principal axes.
    """
    source, target = encoder(teacher).embeddings, encoder(student).embeddings
    words = source.word_embeddings.weight
    config = encoder(student).config
    size = config.embedding_size
    # The square root, because rare words together determine what a text is about.
    weights = None if counts is None else (counts[1:].float() + 0.1).sqrt()
    mean, axes = principal_axes(words[1:], size, weights)
    target.word_embeddings.weight.copy_((words - mean) @ axes)
    target.word_embeddings.weight[0].zero_()
    if words.shape[1] != config.hidden_size:
        return  # different inter-block width: only the word embeddings can be used
    columns = slice(size, 2 * size) if config.trigram_input else slice(0, size)
    target.embedding_transformation.weight.zero_()
    target.embedding_transformation.weight[:, columns] = axes
    target.embedding_transformation.bias.copy_(mean)
    target.position_embeddings.weight.copy_(source.position_embeddings.weight)
    target.token_type_embeddings.weight.copy_(source.token_type_embeddings.weight)
    norm = target.LayerNorm
    if config.normalization_type == "no_norm":
        _fit_nonorm(norm, target, source)
    else:
        norm.weight.copy_(source.LayerNorm.weight)
        norm.bias.copy_(source.LayerNorm.bias)
    if config.use_bottleneck:
        _start_bottlenecks(student, source)
    copy_head(student, teacher)


@torch.no_grad()
def copy_head(student: torch.nn.Module, teacher: torch.nn.Module) -> None:
    """Copy pooler and classifier of a teacher of the same width; they fit as soon as the last feature maps agree."""
    sources = dict(teacher.named_parameters())
    names = {
        f"{student.base_model_prefix}.pooler.dense.": f"{teacher.base_model_prefix}.pooler.dense.",
        "classifier.": "classifier.",
        "qa_outputs.": "qa_outputs.",
    }
    for name, parameter in student.named_parameters():
        for prefix, teacher_prefix in names.items():
            source = sources.get(teacher_prefix + name.removeprefix(prefix)) if name.startswith(prefix) else None
            if source is not None and source.shape == parameter.shape:
                parameter.copy_(source)


def _fit_nonorm(norm, target, source) -> None:
    # NoNorm doesn't divide by a standard deviation, so gain and bias are fitted elementwise by least squares.
    ids = torch.arange(1000, 5096).view(-1, 16)
    targets = source(input_ids=ids).reshape(-1, norm.weight.shape[0])
    norm.weight.fill_(1.0)
    norm.bias.zero_()
    inputs = target(input_ids=ids).reshape(targets.shape)
    input_mean, target_mean = inputs.mean(0), targets.mean(0)
    covariance = ((inputs - input_mean) * (targets - target_mean)).mean(0)
    gain = covariance / inputs.var(0, unbiased=False).clamp_min(1e-6)
    norm.weight.copy_(gain)
    norm.bias.copy_(target_mean - gain * input_mean)


def _start_bottlenecks(student, source) -> None:
    ids = torch.arange(1000, 9192).view(-1, 32)
    stream = source(input_ids=ids).reshape(-1, source.word_embeddings.weight.shape[1])
    for layer in encoder(student).encoder.layer:
        parts = [layer.bottleneck.input]
        if layer.bottleneck.attention is not None:
            parts.append(layer.bottleneck.attention)
        for part in parts:
            mean, axes = principal_axes(stream, part.dense.weight.shape[0])
            part.dense.weight.copy_(axes.T)
            part.dense.bias.copy_(-axes.T @ mean)
