"""Every loss compared with a plain Python implementation."""

import math

import pytest
import torch

from training import losses


@pytest.fixture
def case():
    random = torch.Generator().manual_seed(3)
    student = torch.randn(2, 5, 6, generator=random) * 40 + 7
    teacher = torch.randn(2, 5, 6, generator=random) * 3 - 2
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    return student, teacher, mask


def token_positions(mask):
    return [(b, t) for b in range(mask.shape[0]) for t in range(mask.shape[1]) if mask[b, t]]


def mean(row):
    return sum(row) / len(row)


def spread(row):
    middle = mean(row)
    return math.sqrt(sum((v - middle) ** 2 for v in row) / len(row))


def test_feature_maps(case):
    student, teacher, mask = case
    total = [
        mean([(s - t) ** 2 for s, t in zip(student[p].tolist(), teacher[p].tolist(), strict=True)])
        for p in token_positions(mask)
    ]
    assert losses.feature_maps(*case).item() == pytest.approx(mean(total), rel=1e-5)


def test_raw_maps_are_relative_to_the_teachers_variance(case):
    student, teacher, mask = case
    rows = [teacher[p].tolist() for p in token_positions(mask)]
    variance = mean([spread(column) ** 2 for column in zip(*rows, strict=True)])
    wanted = losses.feature_maps(*case).item() / variance
    assert losses.raw_maps(*case).item() == pytest.approx(wanted, rel=1e-4)
    middle = teacher[mask > 0].mean(0).expand_as(teacher)
    assert losses.raw_maps(middle, teacher, mask).item() == pytest.approx(1, rel=1e-4)


def test_normalized_maps(case):
    student, teacher, mask = case

    def normal(row):
        middle, width = mean(row), math.sqrt(spread(row) ** 2 + 1e-5)
        return [(v - middle) / width for v in row]

    total = [
        mean([(s - t) ** 2 for s, t in zip(normal(student[p].tolist()), normal(teacher[p].tolist()), strict=True)])
        for p in token_positions(mask)
    ]
    assert losses.normalized_maps(*case).item() == pytest.approx(mean(total), rel=1e-4)


def test_normalized_maps_ignore_scale_and_shift(case):
    _, teacher, mask = case
    assert losses.normalized_maps(teacher * 1000 + 50, teacher, mask).item() < 1e-4
    assert losses.statistics(teacher * 1000 + 50, teacher, mask).item() > 1e3


def test_statistics(case):
    student, teacher, mask = case
    total = []
    for p in token_positions(mask):
        s, t = student[p].tolist(), teacher[p].tolist()
        total.append((mean(s) - mean(t)) ** 2 + (spread(s) - spread(t)) ** 2)
    assert losses.statistics(*case).item() == pytest.approx(mean(total), rel=1e-5)


def test_padding_is_ignored(case):
    student, teacher, mask = case
    changed = student.clone()
    changed[1, 3:] = 1e9
    for loss in (losses.raw_maps, losses.feature_maps, losses.normalized_maps, losses.statistics):
        assert loss(changed, teacher, mask).item() == loss(student, teacher, mask).item()


def test_attention_with_grouped_heads():
    random = torch.Generator().manual_seed(4)
    mask = torch.tensor([[1, 1, 1, 0]])
    hidden = (mask == 0)[:, None, None, :]
    student = torch.randn(1, 2, 4, 4, generator=random).masked_fill(hidden, -torch.inf).softmax(-1)
    teacher = (torch.randn(1, 6, 4, 4, generator=random) * 9).masked_fill(hidden, -torch.inf).softmax(-1)
    total = []
    for row in range(3):
        for head in range(2):
            rows = [teacher[0, 3 * head + k, row].tolist() for k in range(3)]
            wanted = [mean(column) for column in zip(*rows, strict=True)]
            given = student[0, head, row].tolist()
            total.append(sum(w * math.log(w / g) for w, g in zip(wanted, given, strict=True) if w > 0))
    assert losses.attention(student, teacher, mask).item() == pytest.approx(mean(total), rel=1e-4)


def test_attention_with_chosen_heads():
    teacher = torch.rand(1, 6, 4, 4, generator=torch.Generator().manual_seed(6)).softmax(-1)
    mask = torch.ones(1, 4)
    assert losses.attention(teacher[:, [1, 4]], teacher, mask, [1, 4]).item() == pytest.approx(0, abs=1e-6)
    assert losses.attention(teacher[:, [1, 4]], teacher, mask, [0, 4]).item() > 1e-4


def test_attention_loss_of_equal_inputs_is_zero_even_with_zeros():
    sharp = torch.eye(3).expand(1, 2, 3, 3)
    mask = torch.ones(1, 3)
    assert losses.attention(sharp, sharp, mask).item() == pytest.approx(0, abs=1e-6)
    assert math.isfinite(losses.attention(torch.full_like(sharp, 1 / 3), sharp, mask).item())


def test_heads_must_be_divisible_into_groups():
    with pytest.raises(ValueError, match="groups"):
        losses.group_heads(torch.ones(1, 5, 2, 2), 2)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_soft_labels(temperature):
    student = torch.tensor([[1.0, -2.0, 0.5], [30.0, 0.0, -1e4]])
    teacher = torch.tensor([[0.3, 0.1, -4.0], [-3.0, 2.0, -1e4]])

    def distribution(row):
        top = max(row)
        powers = [math.exp((v - top) / temperature) for v in row]
        return [p / sum(powers) for p in powers]

    total = []
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        pairs = zip(distribution(s), distribution(t), strict=True)
        total.append(sum(b * math.log(b / a) for a, b in pairs if b > 0) * temperature**2)
    assert losses.soft_labels(student, teacher, temperature).item() == pytest.approx(mean(total), rel=1e-5)


def test_hard_labels_ignore_unlabeled_rows():
    logits = torch.tensor([[2.0, 0.0], [5.0, 1.0]])
    labels = torch.tensor([1, -100])
    assert losses.hard_labels(logits, labels).item() == pytest.approx(math.log(1 + math.e**2))
    assert losses.hard_labels(logits, torch.tensor([-100, -100])).item() == 0


def test_regression():
    assert losses.regression(torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 1.0])).item() == 5.0


def test_pretraining_matches_the_papers_formula():
    words, taught, following = torch.tensor(3.0), torch.tensor(5.0), torch.tensor(0.25)
    assert losses.pretraining(words, taught, following, 0.25).item() == 0.25 * 3 + 0.75 * 5 + 0.25
