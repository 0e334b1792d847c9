import json
import math
import pickle
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from latentdiff import report
from latentdiff.hypotheses import (
    Counted,
    Evidence,
    Finding,
    Given,
    Hypothesis,
    ImageRef,
    Part,
    RankedFinding,
    Status,
    Verification,
)
from latentdiff.metadata import ColumnSummary, Kind, MetadataDifference
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.proposers.mean_shift import MeanShift
from latentdiff.proposers.sae_latents import LatentDifferences
from latentdiff.proposers.visdiff import VisDiffSample
from latentdiff.report import word_verdict, write_report, write_results
from latentdiff.result import (
    SCHEMA_VERSION,
    ComparisonResult,
    EncoderUsed,
    NegativeControls,
    OverallShift,
    ProposerOutcome,
    SaeOrigin,
    SaeSource,
    SetSummary,
)
from latentdiff.verdict import NotRun, NotRunReason, Verdict, VerdictKind


def strict(text):
    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_the_json_reads_back_as_the_result(make_result, tmp_path):
    result = make_result()
    write_results(result, tmp_path / "out")
    read = strict((tmp_path / "out/result.json").read_text(encoding="utf-8"))
    assert (
        read.pop("headline")
        == word_verdict(result)
        == "The sets differ: more surfboard in A and more sun umbrella in B."
    )
    assert [one["finding"]["status"] for one in read["ranking"]] == [one.status for one in result.findings]
    assert [one["given"]["taken"] for one in read["ranking"][0]["travelling"]] == [0.87, 0.61]
    assert read["shift"]["auroc"] == 0.583 and read["controls"]["given"] == 0.018
    assert [one["column"] for one in read["metadata"]] == ["width", "height"]
    assert read == json.loads(json.dumps(result.to_dict()))
    assert read["schema_version"] == 3


def test_numbers_that_are_not_finite_are_null(make_result, make_finding, tmp_path):
    finding = make_finding()
    one = finding.hypothesis
    one = replace(one, evidence=replace(one.evidence, odds_ratio=math.inf), details={"ms": math.nan})
    finding = replace(finding, hypothesis=one)
    write_results(make_result(findings=(finding,), p_value=math.nan), tmp_path)
    read = strict((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert read["verdict"]["p_value"] is None
    assert read["ranking"][0]["finding"]["hypothesis"]["evidence"]["odds_ratio"] is None
    row = pq.read_table(tmp_path / "findings.parquet").to_pylist()[0]
    assert row["odds_ratio"] is None and row["detail_ms"] is None


def test_numpy_numbers_paths_and_broken_names_become_plain(make_result, tmp_path):
    settings = {"k": np.int64(3), "share": np.float32(0.5), "edges": np.array([1.0, np.nan]), "path": Path("/data/a")}
    run = {"command": "compare.py --a caf\udce9", 7: True}
    write_results(make_result(settings=settings, run=run), tmp_path)
    read = strict((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert read["settings"] == {"k": 3, "share": 0.5, "edges": [1.0, None], "path": "/data/a"}
    assert read["run"] == {"command": "compare.py --a caf\\udce9", "7": True}


def test_the_table_has_one_row_per_finding_and_ranks_only_the_one_list(make_result, tmp_path):
    result = make_result()
    write_results(result, tmp_path)
    rows = pq.read_table(tmp_path / "findings.parquet").to_pylist()
    assert [r["rank"] for r in rows] == [1, 2, 3, 4, 5, 1, 2, 3, None, None, None]
    assert [r["name"] for r in rows][-3:] == ["a surfboard", "kite", "a towel"]
    first, finding = rows[0], result.findings[0]
    assert first["words"] == list(finding.words) and first["proposers"] == ["density_ratio", "sae_latents"]
    assert first["difference_interval_low"] == finding.hypothesis.evidence.difference_interval.low
    assert first["status"] == "leads" and first["given_p_value"] == finding.given.p_value
    assert first["detail_jsd"] == finding.hypothesis.details["jsd"]
    assert first["latent"] == finding.hypothesis.latent and first["members"] == [88, 1031]
    assert first["verified_q_value"] is None  # a latent is fixed before the sides are known
    text = result.ranking[0].alike[0]
    assert rows[8]["verified_count_a"] == text.verification.evidence.count_a and rows[8]["threshold"] == 0.214


def test_a_row_names_the_place_that_it_stands_behind_or_travels_with(make_result, make_finding, tmp_path):
    places = [
        RankedFinding(make_finding(("one",)), (), (make_finding(("under b",), "b", status="travels", taken=0.4),)),
        RankedFinding(make_finding(("two",)), (make_finding(("same",)),)),
        RankedFinding(
            make_finding(("other",), "b"), (), (make_finding(("under",), "b", status="travels", vanishes_given=("x",)),)
        ),
    ]
    write_results(make_result(places), tmp_path)
    rows = {row["name"]: row for row in pq.read_table(tmp_path / "findings.parquet").to_pylist()}
    of = {name: (row["side"], row["rank"], row["behind"], row["travels_with"]) for name, row in rows.items()}
    assert of == {
        **{"one": ("a", 1, None, None), "two": ("a", 2, None, None), "other": ("b", 1, None, None)},
        **{"same": ("a", None, "a2", None), "under b": ("b", None, None, "a1"), "under": ("b", None, None, "b1")},
    }
    assert rows["under b"]["taken"] == 0.4 and rows["under"]["vanishes_given"] == ["x"]


def test_a_finding_that_nobody_counted_has_a_row_without_evidence(make_result, make_word, tmp_path):
    write_results(make_result((make_word(("kite",)),), VerdictKind.NOT_TESTED), tmp_path)
    (row,) = pq.read_table(tmp_path / "findings.parquet").to_pylist()
    assert row["name"] == "kite" and row["proposers"] == ["mean_shift"] and row["latent"] is None
    assert row["count_a"] is None and row["difference_interval_low"] is None


def test_the_table_of_no_findings_has_the_same_columns(make_result, make_finding, tmp_path):
    write_results(make_result(), tmp_path / "some")
    write_results(make_result(findings=(), proposers={"density_ratio": None}), tmp_path / "none")
    some, none = (pq.read_table(tmp_path / name / "findings.parquet") for name in ("some", "none"))
    assert none.num_rows == 0
    fixed = [field for field in some.schema if not field.name.startswith("detail_")]
    assert list(none.schema) == fixed


FULL_DISK = """
import pickle, resource, signal, sys, latentdiff.report as report
result = pickle.load(sys.stdin.buffer)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
for write in (report.write_results, lambda result, folder: report.write_report(result, folder + "/report.html", {})):
    try:
        write(result, sys.argv[1])
    except OSError as error:
        print(error.strerror)
"""


def test_a_disk_that_is_full_leaves_the_old_files_whole(make_result, tmp_path):
    write_results(make_result(), tmp_path)
    write_report(make_result(), tmp_path / "report.html", {})
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        input=pickle.dumps(make_result(findings=())),
        capture_output=True,
        cwd=Path(report.__file__).parents[2],
    )
    assert run.stdout.decode().split("\n")[:2] == ["File too large"] * 2, run.stderr.decode()
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_every_field_is_described_in_the_schema():
    text = (Path(report.__file__).parent / "schema.md").read_text(encoding="utf-8")
    classes = (
        ComparisonResult, Verdict, RankedFinding, Finding, Hypothesis, Verification, Evidence, ImageRef,
        Given, ProposerOutcome, NotRun, EncoderUsed, SaeOrigin, OverallShift, NegativeControls, MetadataDifference,
        ColumnSummary,
        SetSummary, LatentDifferences, DensityRatio, MeanShift, VisDiffSample,
    )  # fmt: skip
    missing = [f"{c.__name__}.{f.name}" for c in classes for f in fields(c) if f"`{f.name}`" not in text]
    assert not missing
    assert f"`schema_version` is {SCHEMA_VERSION} " in text
    kinds = (VerdictKind, NotRunReason, Status, Part, Counted, SaeSource, Kind)
    assert not [value for kind in kinds for value in kind if f'`"{value}"`' not in text]


def test_every_column_of_the_table_is_described_in_the_schema(make_result, tmp_path):
    text = (Path(report.__file__).parent / "schema.md").read_text(encoding="utf-8")
    described = text[text.index("## findings.parquet") :]
    write_results(make_result(), tmp_path)
    evidence = {field.name for field in fields(Evidence)}
    plain = [name for name in pq.read_schema(tmp_path / "findings.parquet").names if not name.startswith("detail_")]
    own = [name for name in plain if name.removeprefix("verified_").partition("_interval")[0] not in evidence]
    own = [name for name in own if not name.endswith(("_low", "_high"))]
    assert not [name for name in own if f"`{name}`" not in described]
