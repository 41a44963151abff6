"""The training losses of the paper, each a mean over non-padding tokens or rows.

`mask` is `[batch, sequence]`, 1 for tokens, 0 for padding. Feature maps are `[batch, sequence, width]`, attention
probabilities `[batch, heads, sequence, sequence]`.
"""

import torch
from torch.nn import functional


def token_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean of `values` `[batch, sequence]` over the non-padding tokens."""
    mask = mask.to(values.dtype)
    return (values * mask).sum() / mask.sum()


def feature_maps(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of the unnormalized maps: the paper's L_FMT."""
    student, teacher = student.float(), teacher.float()  # autocast returns bf16
    return token_mean((student - teacher).square().mean(-1), mask)


def raw_maps(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """L_FMT divided by the variance of the teacher's map: 1 for a student that always predicts the mean."""
    teacher = teacher.float()
    # Padding is weighted by 0, not indexed out: the number of remaining tokens would require a GPU synchronization.
    weights = (mask / mask.sum())[..., None]
    mean = (teacher * weights).sum((0, 1))
    variance = ((teacher - mean).square() * weights).sum((0, 1)).mean()
    return feature_maps(student, teacher, mask) / variance


def normalized_maps(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """L_FMT after layer normalization of both sides, without gain and bias."""
    width = student.shape[-1:]
    return feature_maps(functional.layer_norm(student, width), functional.layer_norm(teacher, width), mask)


def statistics(student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Squared differences of each token's mean and standard deviation (not variance, to keep the map's unit)."""
    mean = (student.mean(-1) - teacher.mean(-1)).square()
    spread = (student.std(-1, unbiased=False) - teacher.std(-1, unbiased=False)).square()
    return token_mean(mean + spread, mask)


def attention(
    student: torch.Tensor, teacher: torch.Tensor, mask: torch.Tensor, heads: list[int] | None = None
) -> torch.Tensor:
    """KL(teacher ‖ student) of every row, averaged over heads and tokens: the paper's L_AT.

    Of a teacher with more heads, the heads with indices `heads` are used, or means over groups of neighboring heads.
    """
    teacher = group_heads(teacher, student.shape[1]) if heads is None else teacher[:, heads]
    student, teacher = student.float(), teacher.float()
    tiny = torch.finfo(student.dtype).tiny
    divergence = teacher * (teacher.clamp_min(tiny).log() - student.clamp_min(tiny).log())
    return token_mean(divergence.sum(-1).mean(1), mask)


def group_heads(teacher: torch.Tensor, heads: int) -> torch.Tensor:
    """`[batch, A, sequence, sequence]` → `[batch, heads, sequence, sequence]`: means of A / heads neighboring heads."""
    batch, teacher_heads, rows, columns = teacher.shape
    if teacher_heads % heads:
        raise ValueError(f"{teacher_heads} teacher heads can't be divided into {heads} groups")
    return teacher.view(batch, heads, teacher_heads // heads, rows, columns).mean(2)


def soft_labels(student: torch.Tensor, teacher: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """KL(teacher ‖ student) of the logits' last axis, times temperature squared (Hinton et al. 2015)."""
    teacher_log = functional.log_softmax(teacher.float() / temperature, dim=-1)
    student_log = functional.log_softmax(student.float() / temperature, dim=-1)
    divergence = (teacher_log.exp() * (teacher_log - student_log).nan_to_num(0.0, 0.0, 0.0)).sum(-1)
    return divergence.mean() * temperature**2


def hard_labels(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with the labels; -100 is ignored, and a batch without labels gives 0."""
    summed = functional.cross_entropy(logits.float(), labels, ignore_index=-100, reduction="sum")
    return summed / (labels != -100).sum().clamp_min(1)


def target_probabilities(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy with probabilities `targets` `[rows, classes]`; NaN rows are ignored; 0 if all rows are NaN."""
    known = ~targets.isnan().any(-1)
    if not known.any():
        return logits.sum() * 0.0
    return functional.cross_entropy(logits[known].float(), targets[known])


def regression(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean squared error, for STS-B."""
    return functional.mse_loss(scores.squeeze(-1), labels)


def pretraining(
    masked: torch.Tensor, distilled: torch.Tensor, next_sentence: torch.Tensor, alpha: float
) -> torch.Tensor:
    """The paper's L_PD = α·MLM + (1−α)·KD + NSP."""
    return alpha * masked + (1 - alpha) * distilled + next_sentence
