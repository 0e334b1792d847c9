"""Cuts WordNet's nouns down to what the judge needs: `python -m benchmarks.make_wordnet DATA`.

DATA holds `wordnet_nouns.tsv.gz` (id, lemmas, hypernym ids) and `tiny_imagenet/classes.tsv`. Kept are those classes
with their direct hypernyms and hyponyms, behind WordNet's licence line, which must stay.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path

TARGET = Path(__file__).parent / "wordnet_nouns.tsv.gz"


def main() -> None:
    """Writes benchmarks/wordnet_nouns.tsv.gz."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder with wordnet_nouns.tsv.gz and tiny_imagenet/")
    data = parser.parse_args().data
    with gzip.open(data / "wordnet_nouns.tsv.gz", "rt", encoding="utf-8") as handle:
        lines = handle.read().splitlines()
    classes = {row.split("\t")[1] for row in (data / "tiny_imagenet" / "classes.tsv").read_text().splitlines()[1:]}
    kept = reduce_nouns(lines, classes)
    # no file name and no time in the header: the same data gives the same file
    with TARGET.open("wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        packed.write(("\n".join(kept) + "\n").encode())
    print(f"{TARGET.name}: {len(kept) - 1} nouns for {len(classes)} classes, {TARGET.stat().st_size:,} bytes")


def reduce_nouns(lines: list[str], classes: set[str]) -> list[str]:
    """The licence line, then the classes and their neighbours one step up or down, with the steps between them."""
    nouns = {id: (lemmas, above.split("|")) for id, lemmas, above in (line.split("\t") for line in lines[1:])}
    if missing := classes - nouns.keys():
        raise SystemExit(f"not among the nouns: {', '.join(sorted(missing))}")
    above = {hypernym for id in classes for hypernym in nouns[id][1]}
    below = {id for id, (_, hypernyms) in nouns.items() if classes.intersection(hypernyms)}
    kept = (classes | above | below) & nouns.keys()
    rows = [f"{id}\t{nouns[id][0]}\t{'|'.join(h for h in nouns[id][1] if h in kept)}" for id in sorted(kept)]
    return [lines[0], *rows]


if __name__ == "__main__":
    main()
