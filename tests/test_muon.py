"""Muon on stacks of matrices is torch's Muon."""

from __future__ import annotations

import pytest
import torch

from conlipa.modeling.training.muon import StackedMuon, orthogonal


@pytest.mark.parametrize("shapes", [[(16, 16)] * 3, [(32, 16), (16, 32), (32, 16)], [(16, 16), (16, 48), (5, 7)]])
def test_the_update_is_that_of_torch(shapes: list[tuple[int, int]]) -> None:
    draw = torch.Generator().manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in shapes]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    mine = StackedMuon(ours, lr=0.02, weight_decay=0.1)
    torchs = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        for a, b in zip(ours, theirs, strict=True):
            a.grad = torch.randn(a.shape, generator=draw)
            b.grad = a.grad.clone()
        mine.step()
        torchs.step()
    for a, b in zip(ours, theirs, strict=True):  # the products are rounded to bfloat16, in another order
        assert (a - b).norm() < 2e-3 * b.norm()


def test_a_matrix_without_gradient_stays_and_the_state_has_torchs_names() -> None:
    moved, still = (torch.nn.Parameter(torch.ones(4, 4)) for _ in range(2))
    optimizer = StackedMuon([moved, still], lr=0.1, weight_decay=0.0)
    moved.grad = torch.eye(4)
    optimizer.step()
    assert torch.equal(still, torch.ones(4, 4))
    assert not torch.equal(moved, torch.ones(4, 4))
    assert [list(state) for state in optimizer.state_dict()["state"].values()] == [["momentum_buffer"]]


@pytest.mark.parametrize("shape", [(8, 20), (20, 8)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    made = orthogonal(list(torch.randn(3, *shape, generator=torch.Generator().manual_seed(1))))
    assert made.shape == (3, *shape)
    values = torch.linalg.svdvals(made.float())
    assert values.min() > 0.5
    assert values.max() < 1.4
