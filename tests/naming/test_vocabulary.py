from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.naming.fold import fold
from latentdiff.naming.things import thing_names
from latentdiff.naming.vocabulary import NamingSettings, build_vocabulary, common_words, without_things

OBJECTS = (
    "dog cat umbrella violin lemon pizza backpack horse bridge runway kitchen rose lily jack robin pearl amber iris"
)
PHRASES = ("traffic light", "tennis racket", "dining table", "solar panel", "goldfish", "surfboard", "frisbee")


def test_the_default_has_20000_single_words_then_the_phrases_then_20000_names_of_things() -> None:
    words = build_vocabulary().words
    assert all(word.isalpha() and word.isascii() and len(word) > 1 for word in words[:20_000])
    assert words[:20_000] == common_words(20_000)
    assert len(words) == len(set(words)) > 40_500
    without = build_vocabulary(NamingSettings(things=0)).words
    assert 20_500 < len(without) < 21_500
    assert words[: len(without)] == without
    assert words[len(without) :] == thing_names(20_000, frozenset(map(fold, without)))


def test_things_that_photographs_show_are_in() -> None:
    words = build_vocabulary().words
    assert set(OBJECTS.split()) | set(PHRASES) <= set(words)


def test_stop_words_numbers_names_letters_and_profanity_are_out() -> None:
    words = set(build_vocabulary().words)
    bad = "the are here first and www 2020 seven x michael jennifer mohammed fuck fucking shit n't it's café"
    assert not words & set(bad.split())


def test_the_vocabulary_is_the_same_every_time() -> None:
    assert build_vocabulary() == build_vocabulary()


def test_fewer_words_are_the_most_common_of_more_words() -> None:
    assert common_words(50) == common_words(20_000)[:50]


def test_domain_lists_add_their_phrases_behind_all_others() -> None:
    plain, medical = build_vocabulary(), build_vocabulary(NamingSettings(domains=("medical", "satellite")))
    assert medical.words[: len(plain.words)] == plain.words
    phrases = {"pleural effusion", "endotracheal tube", "rib fracture", "storage tank", "circular field"}
    assert phrases <= set(medical.words)
    assert {"pleural effusion", "circular field"} <= set(medical.words[len(plain.words) :])


def test_the_users_file_is_read_with_comments_left_out_and_repeats_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.txt"
    file.write_text("# ours\nblue  widget\n\ngear, dog\nblue widget\n", encoding="utf-8")
    settings = NamingSettings(words=0, phrases=False, things=0, file=str(file))
    assert build_vocabulary(settings).words == ("blue widget", "gear", "dog")


@pytest.mark.parametrize("content", [None, b"", b"# nothing\n", b"\xff\xfe\x00"])
def test_a_file_without_words_is_one_clear_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "mine.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LatentDiffError, match=r"mine\.txt.*one word or phrase per line$"):
        build_vocabulary(NamingSettings(file=str(file)))


def test_all_faults_of_the_settings_are_named_at_once() -> None:
    with pytest.raises(LatentDiffError) as caught:
        NamingSettings(
            words=-1, things=-1, words_per_latent=0, source="pixels", domains=("space",), templates=("a photo",)
        )
    for key in ("words", "things", "words_per_latent", "source", "domains", "templates"):
        assert f"naming.{key}" in str(caught.value)


def test_an_empty_vocabulary_is_an_error() -> None:
    with pytest.raises(LatentDiffError, match="empty"):
        build_vocabulary(NamingSettings(words=0, phrases=False, things=0))


def test_more_words_than_there_are_is_an_error() -> None:
    with pytest.raises(LatentDiffError, match="use fewer"):
        common_words(10_000_000)


def test_the_vocabulary_is_built_without_torch() -> None:
    code = "import sys, latentdiff.naming as n; n.build_vocabulary(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_names_of_things_common_words_objects_and_ones_own_remain():
    words = ["painting", "traffic light", "poster paint", "dugong", "ground-glass opacity"]
    assert [words[place] for place in without_things(words)] == ["painting", "traffic light", "ground-glass opacity"]
