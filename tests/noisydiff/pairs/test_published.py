from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.pairs.labels import manifest_table
from latentdiff.noisydiff.pairs.published import closed_pairs, contexts_of, groups_of, read_definitions, visdiff_pairs
from latentdiff.noisydiff.pairs.rebuild import rebuild

DEFINITIONS = """pair_id,subset,difficulty,set1,set2,difference
0,PairedImageSets,easy,Dogs playing in a park,Cats playing in a park,Animal species (Dogs vs Cats)
7,PairedImageSets,hard,"Tea, green","Tea, black",Kind of tea
164,ImageNetStar,,at dusk,base,at dusk
"""


def definitions_file(folder: Path, text: str = DEFINITIONS) -> Path:
    file = folder / "pairs.csv"
    file.write_text(text)
    return file


def test_definitions_are_read_with_commas_and_empty_difficulties(tmp_path: Path) -> None:
    first, tea, dusk = read_definitions(definitions_file(tmp_path))
    assert (first.pair_id, first.difficulty, first.set2) == ("0", "easy", "Cats playing in a park")
    assert tea.set1 == "Tea, green" and dusk.difficulty == ""


def test_a_manifest_of_groups_makes_the_pairs_whose_groups_it_has(tmp_path: Path) -> None:
    manifest = tmp_path / "images.csv"
    rows = [f"{animal}/{i}.jpg,{animal.title()} playing in a park" for i in range(3) for animal in ("cats", "dogs")]
    manifest.write_text("\n".join(["path,group_name", *rows, "x.jpg,at dusk", "y.jpg,base", "z.jpg,"]))
    groups = groups_of(manifest_table(manifest))
    animals, dusk = pairs = visdiff_pairs(read_definitions(definitions_file(tmp_path)), groups)
    assert animals.a == ("dogs/0.jpg", "dogs/1.jpg", "dogs/2.jpg") and animals.b[0] == "cats/0.jpg"
    assert animals.truth["a"].names == ("Dogs playing in a park", "Dogs")
    assert animals.truth["b"].names == ("Cats playing in a park", "Cats")
    assert (animals.id, animals.scarcity, animals.recipe["difficulty"]) == ("PairedImageSets/0", 1.0, "easy")
    assert dusk.truth.keys() == {"a"}  # the plain images have nothing of their own
    assert [rebuild(pair, groups) for pair in pairs] == pairs


def test_closed_sets_pair_the_contexts_of_a_subject_and_carry_the_candidates() -> None:
    groups = {"cat(sofa)": ["3", "1", "2"], "cat(grass)": ["2", "4"], "cat(box)": ["5"], "dog(sofa)": ["6"]}
    contexts = contexts_of(groups)
    pairs = closed_pairs(contexts)
    assert [pair.id for pair in pairs] == ["cat/box-grass", "cat/box-sofa", "cat/grass-sofa"]
    grass_sofa = pairs[2]
    assert (grass_sofa.a, grass_sofa.b) == (("4",), ("1", "3"))  # "2" shows both
    assert grass_sofa.parent == "cat" and grass_sofa.truth["b"].phrase == "sofa"
    assert grass_sofa.recipe["candidates"] == ["box", "grass", "sofa"]
    assert [rebuild(pair, contexts) for pair in pairs] == pairs


def test_contexts_without_a_subject_have_no_parent_and_may_have_brackets_in_their_names() -> None:
    (plain,) = closed_pairs(contexts_of({"photo": ["1"], "sketch (pencil)": ["2"]}))
    assert (plain.id, plain.parent) == ("photo-sketch (pencil)", "")
    cranes = {("crane (bird)", "lake"): ["1"], ("crane (machine)", "lake"): ["2"], ("crane (bird)", "sky"): ["3"]}
    assert [pair.parent for pair in closed_pairs(cranes)] == ["crane (bird)"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no rows with pair_id"),
        ("pair_id,set1\n1,x\n", "has no rows with subset, difficulty, set2, difference"),
        (DEFINITIONS + "7,a,b,c,d,e\n", "a pair_id twice"),
        (DEFINITIONS + "8,a,b,,d,e\n", "row 5 lacks"),
    ],
)
def test_definitions_that_cannot_be_used_are_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(LatentDiffError, match=complaint) as error:
        read_definitions(definitions_file(tmp_path, text))
    assert "\n" not in str(error.value)


def test_groups_that_make_no_pair_say_why(tmp_path: Path) -> None:
    definitions = read_definitions(definitions_file(tmp_path))
    with pytest.raises(LatentDiffError, match="cannot read the definitions"):
        read_definitions(tmp_path / "none.csv")
    with pytest.raises(LatentDiffError, match="groups are ships, pairs are of Dogs playing"):
        visdiff_pairs(definitions, {"ships": ["1"]})
    with pytest.raises(LatentDiffError, match="image '2' is in 'at dusk' and in 'base'"):
        visdiff_pairs(definitions, {"at dusk": ["1", "2"], "base": ["2"]})
    with pytest.raises(LatentDiffError, match="no column 'group_name'"):
        groups_of(pa.table({"id": ["1"], "group": ["x"]}))
    with pytest.raises(LatentDiffError, match=r"no subject has two contexts; there are cat\(sofa\)"):
        closed_pairs({("cat", "sofa"): ["1"]})
    with pytest.raises(LatentDiffError, match="has 0 and 1 images"):
        closed_pairs({("cat", "sofa"): ["1", "2"], ("cat", "box"): ["1"], ("cat", "bed"): ["9"]})
