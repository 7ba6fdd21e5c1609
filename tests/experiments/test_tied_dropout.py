"""Example-tied dropout: masks by address, the three states, and ids that reach the layer by way of the stream."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from rote import address, models
from rote.address import Stream
from rote.augment import Recipe
from rote.experiments.location.tied_dropout import (
    DROPPED,
    EXPECTED,
    OWN,
    TellingStream,
    TiedDropout,
    TiedNetwork,
)
from rote.train import LabelSource, Seeds, TrainConfig, Trainer, load_checkpoint, save_checkpoint

IDS = torch.tensor([4, 9, 2, 30])


def layer(channels=40, p_fixed=0.2, p_mem=0.25, seed=3, place=1):
    return TiedDropout(channels, IDS, p_fixed, p_mem, seed, place)


def test_masks_are_those_of_their_addresses():
    dropout = layer()
    assert dropout.shared == 8
    assert dropout.kept[:, :8].all()
    for row, image in enumerate(IDS.tolist()):
        for channel in (8, 17, 39):
            word = address.words(3, image, 1, Stream.TIED_CHANNELS, channel)
            assert bool(dropout.kept[row, channel]) == (int(word) / 2**32 < 0.25)
    assert not torch.equal(layer().kept, layer(place=2).kept)
    # An image has the same channels in whatever set it stands.
    assert torch.equal(TiedDropout(40, IDS[[2, 0]], 0.2, 0.25, 3, 1).kept, dropout.kept[[2, 0]])


def test_as_many_channels_as_p_mem_says():
    ids = torch.arange(2000)
    kept = TiedDropout(60, ids, 0.2, 0.1, 0, 0).kept[:, 12:].float()
    assert kept.mean() == pytest.approx(0.1, abs=0.005)
    assert kept.mean(0).std() < 0.02


@pytest.mark.parametrize("shape", [(2, 40), (2, 40, 3, 3)])
def test_states(shape):
    dropout = layer()
    x = torch.rand(shape) + 0.5
    dropout.ids = torch.tensor([30, 4])
    mask = dropout.kept[[3, 0]].float().reshape(2, 40, *[1] * (len(shape) - 2))
    dropout.train()
    assert torch.equal(dropout(x), x * mask)
    dropout.eval()
    dropout.state = OWN
    assert torch.equal(dropout(x), x * mask)
    dropout.state = EXPECTED
    dropout.ids = None
    assert torch.equal(dropout(x)[:, :8], x[:, :8])
    torch.testing.assert_close(dropout(x)[:, 8:], 0.25 * x[:, 8:])
    dropout.state = DROPPED
    torch.testing.assert_close(dropout(x)[:, :8], x[:, :8] * (0.2 + 0.25) / 0.2)
    assert not dropout(x)[:, 8:].any()


def test_ids_must_be_told():
    dropout = layer().train()
    with pytest.raises(ValueError, match="ids must name the 2 images of the batch; got None"):
        dropout(torch.rand(2, 40))
    dropout.ids = IDS[:3]
    with pytest.raises(ValueError, match="got 3"):
        dropout(torch.rand(2, 40))


def network(**more):
    built = models.build("convnet", in_channels=3, image_size=16, num_classes=10, width=4, projector_width=16, **more)
    return TiedNetwork(built, torch.arange(12), 0.25, 0.3, 0)


def test_every_hidden_layer_has_its_own():
    tied = network()
    assert [len(d.kept[0]) for d in tied.dropouts] == [4, 4, 8, 16, 16]
    assert len({bytes(d.kept[:, -4:].numpy().tobytes()) for d in tied.dropouts}) > 1
    with pytest.raises(TypeError, match=r"rote\.models"):
        TiedNetwork(nn.Linear(3, 2), IDS, 0.2, 0.1, 0)
    with pytest.raises(ValueError, match="state must be"):
        tied.in_state("off")


def made_trainer(seed=0):
    tied = network(seed=seed)
    labels = LabelSource.fixed(torch.arange(12) % 10, num_classes=10)
    images = torch.randint(0, 256, (12, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    stream = TellingStream(images, torch.arange(12), labels, Recipe(size=16), 4, Seeds())
    stream.listener = tied
    return Trainer(tied, stream, TrainConfig(epochs=6, lr=1e-2, device="cpu"))


def test_the_stream_tells_the_ids_of_its_batch():
    trainer = made_trainer()
    seen = []
    trainer.model.dropouts[0].register_forward_pre_hook(lambda module, _: seen.append(module.ids.clone()))
    trainer.train_until(5)
    expected = [trainer.stream.addresses(step)[0] for step in range(5)]
    assert len(seen) == 5
    assert all(torch.equal(one, other) for one, other in zip(seen, expected, strict=True))


def test_the_same_after_a_stop(tmp_path):
    whole, stopped, again = made_trainer(), made_trainer(), made_trainer(seed=5)
    whole.train_until(9)
    stopped.train_until(4)
    save_checkpoint(tmp_path / "state.safetensors", stopped)
    load_checkpoint(tmp_path / "state.safetensors", again)
    again.train_until(9)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name


def test_channels_of_nobody_learn_nothing():
    """Weights behind a channel change only by the examples that keep it."""
    trainer = made_trainer()
    last = trainer.model.network.projector.logits[1].weight
    before = last.detach().clone()
    unused = ~trainer.model.dropouts[-1].kept.any(0)
    trainer.train_until(6)
    changed = (last.detach() != before).any(0)
    assert not changed[unused].any()
    assert changed[:4].any()
