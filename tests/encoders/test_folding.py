from __future__ import annotations

import open_clip
import pytest
import torch
from torch import nn

import latentdiff
from latentdiff.encoders import MINI
from latentdiff.encoders.folding import fold_batch_norms
from latentdiff.encoders.openclip import fingerprint


class NormFirst(nn.Module):
    """Lists its norm after the convolution and runs it before."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3), trained_norm(3)

    def forward(self, x):
        return self.conv(self.norm(x))


class NormWithActivation(nn.BatchNorm2d):
    """As timm has it."""

    def __init__(self, channels):
        super().__init__(channels)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(super().forward(x))


def trained_norm(channels, cls=nn.BatchNorm2d):
    torch.manual_seed(1)
    norm = cls(channels)
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        tensor.copy_(torch.rand(channels) + 0.5)
    return norm


@pytest.fixture
def network():
    torch.manual_seed(0)
    first = nn.Sequential(nn.Conv2d(3, 4, 3), trained_norm(4), nn.ReLU())
    second = nn.Sequential(nn.Conv2d(4, 5, 3, bias=False), trained_norm(5, NormWithActivation))
    return nn.Sequential(first, second).eval().requires_grad_(False)


def norms(network):
    return [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]


def test_a_folded_network_gives_the_same_answers_without_norms(network):
    example, other = torch.randn(2, 3, 9, 9), torch.randn(5, 3, 9, 9)
    folded = fold_batch_norms(network, example)
    assert not norms(folded)
    assert torch.allclose(folded(other), network(other), atol=1e-5)
    assert (folded(other) >= 0).all() and (folded(other) > 0).any()
    assert len(norms(network)) == 2


def test_a_network_that_runs_its_parts_in_another_order_stays_as_it_is():
    network = NormFirst().eval()
    assert fold_batch_norms(network, torch.randn(2, 3, 9, 9)) is network


def test_a_network_without_norms_is_not_run():
    network = nn.Linear(3, 2)
    assert fold_batch_norms(network, torch.zeros(0)) is network


def test_the_bundled_encoder_has_no_norm_left_and_the_fingerprint_of_its_files():
    encoder = latentdiff.load_encoder("mini")
    whole, _ = open_clip.create_model_from_pretrained(f"local-dir:{MINI}")
    assert norms(whole.visual)
    assert not norms(encoder._model.visual)
    assert fingerprint("mini", whole) == encoder.fingerprint
