from __future__ import annotations

import io
import json
import tarfile
import types

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from torch.nn.functional import cross_entropy, normalize


@pytest.fixture
def unit():
    return normalize(torch.randn(6, 384, generator=torch.Generator().manual_seed(1)), dim=-1)


def image_set(unit, count=40, train=30, **options):
    from images import ImageSet, Question

    present = torch.zeros(count, 3, dtype=torch.bool)
    present[torch.arange(count), torch.arange(count) % 3] = True
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    asked = Question(unit[:3], present, exclusive=True)
    return ImageSet("made up", pixels, (asked,), np.arange(train), np.arange(train, count), **options)


def test_no_image_is_both_trained_on_and_measured():
    from images import held_out, watched

    ids = [f"image {i}" for i in range(5000)]
    assert not any(held_out(i) and watched(i) for i in ids)
    assert 0.18 < np.mean([held_out(i) for i in ids]) < 0.22
    assert 0.015 < np.mean([watched(i) for i in ids]) < 0.04


def test_a_pass_shows_each_training_image_once_and_the_next_in_another_order(unit):
    from images import ImageBatches

    sets = [image_set(unit), image_set(unit, count=12, train=10, repeat=1.5)]
    batches = ImageBatches(sets, [32, 40], batch=9)

    def shown():
        return [(part.number, row) for batch in batches for part in batch for row in part.rows.tolist()]

    first = shown()
    assert len(first) == 45
    assert sorted(row for number, row in first if number == 0) == list(range(30))
    assert {row for number, row in first if number == 1} == set(range(10))
    batches.epoch = 1
    second = list(batches)
    assert shown() != first
    assert all(sum(len(part.rows) for part in batch) == 9 for batch in second)
    assert {tuple(part.pixels.shape[1:]) for batch in second for part in batch} == {(3, 40, 40)}
    again = list(batches)
    assert all(torch.equal(x[0].pixels, y[0].pixels) for x, y in zip(second, again, strict=True))


def test_an_image_mixed_with_another_shows_what_both_show_in_their_shares(unit):
    from images import mixed

    own = image_set(unit)
    pixels = torch.rand(4, 3, 8, 8)
    rows = torch.tensor([0, 1, 2, 3])
    part = mixed(0, rows, pixels, torch.Generator().manual_seed(0))
    assert ((part.share >= 0.5) & (part.share <= 1)).all()
    assert part.others.tolist() == [3, 0, 1, 2]
    share = float(part.share[1])
    assert torch.allclose(part.pixels[1], share * pixels[1] + (1 - share) * pixels[0])
    shown = part.present(own.questions[0])
    assert torch.allclose(shown[1], torch.tensor([1 - share, share, 0]))
    assert torch.allclose(shown.sum(1), torch.ones(4))


def test_each_tenth_class_is_left_out_whatever_the_order_of_the_images():
    from images import left_out

    labels = [f"n{i:03}" for i in range(200)]
    assert left_out(labels, 10) == left_out(reversed(labels * 2), 10)
    assert len(left_out(labels, 10)) == 20


def test_a_crop_stays_within_what_the_backbone_expects():
    from images import augment

    pixels = torch.randint(0, 256, (16, 3, 32, 32), dtype=torch.uint8)
    out = augment(pixels, 24, turn=True, generator=torch.Generator().manual_seed(0))
    assert out.shape == (16, 3, 24, 24)
    assert out.min() >= -127 / 128 - 1e-6  # interpolation rounds
    assert out.max() <= 1 + 1e-6


def test_every_pass_takes_all_words_and_its_own_part_of_the_other_texts():
    from text_tower import TextBatches, tokenize

    texts = [f"word{i}" for i in range(8)] + [f"a photo of a thing number {i}" for i in range(40)]
    batches = TextBatches(texts, np.random.default_rng(0).normal(size=(48, 4)), always=8, share=0.2, batch=4)
    words = {tuple(row) for row in tokenize(texts[:8]).tolist()}

    def seen():
        return [tuple(row.tolist() + [0] * (32 - len(row))) for tokens, _ in batches for row in tokens]

    first = seen()
    batches.epoch = 1
    second = seen()
    assert len(first) == len(set(first)) == 16
    assert words <= set(first) & set(second)
    assert set(first) != set(second)


def test_a_word_that_means_what_is_shown_is_no_wrong_answer(tower, unit):
    from images import Question

    present = torch.eye(3)
    images = normalize(unit[:3] + unit[:3].sum(0) + 3 * unit[3:6], dim=-1)
    question = Question(unit[:3], present, exclusive=True)
    with torch.no_grad():
        alone = tower._ask(images, question, present, unit[:0])
        with_its_own = tower._ask(images, question, present, unit[:1])
        with_another = tower._ask(images, question, present, unit[3:4])
        expected = cross_entropy(25 * images @ torch.cat([unit[:3], unit[3:4]]).T, torch.arange(3))
    assert with_its_own > alone + 1e-4  # right for the first image, a wrong answer for the others
    first = tower._ask(images[:1], question, present[:1], unit[:1])
    assert torch.allclose(first, tower._ask(images[:1], question, present[:1], unit[:0]), atol=1e-5)
    assert torch.allclose(with_another, expected, atol=1e-5)


@pytest.fixture
def mini(monkeypatch):
    """The architecture from a random start: the packaged backbone is not installed where the tests run."""
    import model

    monkeypatch.setattr(model, "_packaged", lambda network: {})
    return model


@pytest.fixture
def tower(mini, unit):
    from image_tower import ImageTower

    torch.manual_seed(0)
    return ImageTower(mini.create(), [], unit, steps=4, rate=1e-3, frozen=2)


def test_training_that_goes_on_from_a_checkpoint_ends_as_if_it_had_not_stopped(mini, monkeypatch, tmp_path, capsys):
    import train

    words = types.SimpleNamespace(words=("rib", "heart", "lung", "device"))
    monkeypatch.setattr(train, "build_vocabulary", lambda _: words)
    settings = OmegaConf.create(
        {
            "photographs": {},
            "worlds": {"radiographs": {"images": 60, "seed": 5, "side": 96}},
            "images": {"folder": "x", "rounds": [[[32, 32], 1e-3]], "batch": 20, "frozen": 2},
        }
    )

    def trained(run, passes):
        torch.manual_seed(0)
        model = mini.create().eval()
        (run / "images").parent.mkdir(exist_ok=True)
        monkeypatch.setattr(train, "fit", lambda m, b, p, *rest: fit(m, b, passes, *rest))
        train.train_images(model, tmp_path, settings, run)
        return model.visual.state_dict()

    fit = train.fit
    whole = trained(tmp_path / "whole", 2)
    trained(tmp_path / "halted", 1)
    capsys.readouterr()
    resumed = trained(tmp_path / "halted", 2)
    said = capsys.readouterr().out
    assert "pass 2 of 2" in said
    assert "pass 1 of" not in said
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    start = mini.create().visual.state_dict()
    changed = [key for key in whole if whole[key].is_floating_point() and not torch.equal(whole[key], start[key])]
    assert any("blocks.6" in key for key in changed)


def test_settings_that_are_none_and_checkpoints_of_other_settings_are_refused(tmp_path):
    import train

    config = tmp_path / "mini.yaml"
    config.write_text("images: {rate: 1, frozen: 2}\nphotographs: {}\n")
    assert train.read(config, ["images.rate=3"]).images == {"rate": 3, "frozen": 2}
    with pytest.raises(SystemExit, match=r"no 'imges\.rate'"):
        train.read(config, ["imges.rate=3"])
    with pytest.raises(SystemExit, match="no configuration"):
        train.read(tmp_path / "other.yaml", [])
    train.check_run(tmp_path / "run", {"rate": 1})
    train.check_run(tmp_path / "run", {"rate": 1})
    with pytest.raises(SystemExit, match="made with other settings"):
        train.check_run(tmp_path / "run", {"rate": 2})


def shard(folder, rows):
    """A WebDataset shard of small pictures."""
    folder.mkdir(parents=True)
    with tarfile.open(folder / "shard-0.tar", "w") as archive:
        for i, row in enumerate(rows):
            picture = io.BytesIO()
            Image.new("RGB", (20, 10), (i, 0, 0)).save(picture, "png")
            content = picture.getvalue() if row else b"no picture"
            for suffix, data in (("png", content), ("json", json.dumps(row or {"source_id": "x"}).encode())):
                entry = tarfile.TarInfo(f"{i:03d}.{suffix}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))


def test_shards_of_ones_own_are_checked_before_they_are_learnt_from(tmp_path, capsys):
    import images

    shard(tmp_path / "own", [{"source_id": str(i), "label": "ab"[i % 2]} for i in range(60)] + [None])

    def read(**options):
        options = OmegaConf.create({"side": 16, **options})
        return images.photographs(tmp_path, "own", options, lambda phrases, prompts=True: torch.eye(9)[: len(phrases)],
                                  tmp_path / "cache")  # fmt: skip

    own = read(labels=["label"])
    assert "skipped" in capsys.readouterr().out
    assert own.pixels.shape == (60, 3, 16, 16)
    assert 30 < len(own.rows) < 60  # a fifth is held out
    with pytest.raises(SystemExit, match="has no option label;"):
        read(label="label")
    with pytest.raises(SystemExit, match="60 of 60 images have no 'kind'"):
        read(labels=["kind"])
    with pytest.raises(SystemExit, match="asks nothing"):
        read()
