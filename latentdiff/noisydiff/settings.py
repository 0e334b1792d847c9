"""The settings of a benchmark: one YAML file with all of `compare`'s, the methods, and the sets of images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from latentdiff.config import fill, read_keys
from latentdiff.errors import LatentDiffError
from latentdiff.noisydiff.methods.presets import PRESET_METHODS, PROPOSER_OF
from latentdiff.noisydiff.methods.registry import BASELINES
from latentdiff.noisydiff.pairs.registry import BUILDERS
from latentdiff.pipeline import CompareSettings
from latentdiff.registry import choose

T = TypeVar("T")

PARTS = ("all", "held-out", "training")
METHOD_NAMES = (*PRESET_METHODS, *BASELINES)
_FIXED = ("proposers", "embed", "report")
_VARIABLE = ("encoder", *(item.name for item in fields(CompareSettings) if item.name not in _FIXED))  # by a sweep
_SET_TEXTS = ("images", "column", "context", "definitions")
_TEXTS = ("out", "cache", "encoder", "data.root", "naming.file", "sae.path", "only")


def with_sections(cls: type[T]) -> type[T]:
    """A class of settings with a further field for each builder that has settings, under the builder's name."""
    for builder in BUILDERS.values():
        if builder.settings is not None:
            cls.__annotations__[builder.name] = builder.settings
            setattr(cls, builder.name, field(default_factory=builder.settings))
    return cls


@dataclass(frozen=True)
@with_sections
class SetSettings:
    """One set of images, and how pairs are drawn from it.

    Attributes:
        name: what results are called by.
        images: where they come from, as `compare.py` takes it; a relative path lies in `data.root`.
        part: draw pairs from "all" images, from the "held-out" fifth alone (`sae_pool.held_out`), or from the
            "training" images, those that are not held out.
        pool: sources of the unlabelled images that the SAE is trained on, without their held-out fifth; none: the one
            that is bundled with the encoder. The SAE of `sae.path`, where it is set, comes before either.
        builder: of BUILDERS; one that takes settings has a section of its name.
        column: of the table that says what each image shows: a list of labels, a class, a group, or (builder "shifts")
            a style.
        context: builder "closed": a second column, the context of the subject in the first; none: the first holds
            groups, all of them like cat(sofa), or contexts alone. Builder "shifts": the column of the classes, or of
            lists of labels, that are planted.
        instances: COCO-format files that say it instead of a column.
        definitions: builder "visdiffbench": the table of its pairs.
        scarcities: build the pairs once for each; none: with the scarcity of the builder's section.
        halves: number of null pairs beside: random halves of the set (A = A).
        halves_size: images of each half; none: half of the set.
    """

    name: str = ""
    images: str = ""
    part: str = "all"
    pool: tuple[str, ...] = ()
    builder: str = "classes"
    column: str = "label"
    context: str | None = None
    instances: tuple[str, ...] = ()
    definitions: str | None = None
    scarcities: tuple[float, ...] = ()
    halves: int = 0
    halves_size: int | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: an unknown builder or part, fewer than 0 halves, or scarcities where none can be set.
        """
        choose("part", self.part, dict.fromkeys(PARTS))
        builder = choose("builder", self.builder, BUILDERS)
        if self.scarcities and not builder.sets_scarcity:
            raise LatentDiffError(
                f"scarcities change nothing for the builder '{self.builder}', whose sets are given as they are"
            )
        if self.halves < 0:
            raise LatentDiffError(f"halves is {self.halves}; use 0 or more")

    @property
    def section(self) -> Any:
        """The settings of its builder; None where that takes none."""
        return getattr(self, self.builder, None)

    def with_section(self, **changes: Any) -> SetSettings:
        """The same set with other settings of its builder."""
        section: dict[str, Any] = {self.builder: replace(self.section, **changes)}
        return replace(self, **section)


@dataclass(frozen=True)
class DataSettings:
    """Where sets of images lie."""

    root: str = "."  # folder that relative paths are relative to


@dataclass(frozen=True)
class Settings(CompareSettings):
    """A benchmark: what is run on which sets, and where results go; our methods take the rest of it.

    Attributes:
        data: where sets of images lie.
        methods: of METHOD_NAMES, in the order of the tables.
        only: run this set alone.
        pairs: of each set and scarcity, and of its halves, run the first so many alone; none: all.
        encoder: a name for `load_encoder`.
        device: where models run.
        processes: that answer pairs at the same time, one thread each; 0: this one alone, with all its threads.
        seed: of whatever the methods draw, and of the null pairs.
        fresh: answer everything anew.
        similarity: model of the similarity of sentences; "" for the one that is found offline, "none" for none.
        out: folder for pairs, answers, tables and the page.
        cache: folder for embeddings and SAEs, which several benchmarks may share.
        sets: by the keys `sets.NAME. ...`.
    """

    data: DataSettings = field(default_factory=DataSettings)
    methods: tuple[str, ...] = ("concept", "density", "combined", *BASELINES)
    only: str | None = None
    pairs: int | None = None
    encoder: str = "mini"
    device: str = "auto"
    processes: int = 1
    seed: int = 0
    fresh: bool = False
    similarity: str = ""
    out: str = "runs/noisydiff"
    cache: str = "runs/noisydiff-cache"
    sets: tuple[SetSettings, ...] = ()

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: an unknown or repeated method, one whose proposer is left out, or a number out of its
                range.
        """
        for method in self.methods:
            choose("method", method, dict.fromkeys(METHOD_NAMES))
        if len(set(self.methods)) < len(self.methods) or not self.methods:
            raise LatentDiffError(f"methods must be one or more, each once; they are {', '.join(self.methods)}")
        for method in (name for name in self.methods if name in PRESET_METHODS):
            needed = PROPOSER_OF.get(PRESET_METHODS[method].part)
            if needed is not None and needed not in self.proposers:
                raise LatentDiffError(
                    f"the method '{method}' is what {needed} proposes; add {needed} to proposers, or leave it out"
                )
        if self.sae.data is not None:
            raise LatentDiffError("sae.data is not used here; name the images to train on as sets.NAME.pool=[...]")
        for key, least in (("processes", 0), ("pairs", 1), ("seed", 0)):
            value = getattr(self, key)
            if value is not None and value < least:
                raise LatentDiffError(f"{key} must be at least {least}; it is {value}")

    @property
    def needs_pool(self) -> bool:
        """Whether a method needs the pool's SAE."""
        return any(BASELINES[m].needs_latents if m in BASELINES else not PRESET_METHODS[m].task for m in self.methods)

    def chosen_sets(self) -> tuple[SetSettings, ...]:
        """The sets to run.

        Raises:
            LatentDiffError: there are none, or none of the name in `only`.
        """
        by_name = {one.name: one for one in self.sets}
        if not by_name:
            raise LatentDiffError("no set of images: name one with sets.NAME.images=...")
        return self.sets if self.only is None else (choose("set", self.only, by_name),)


@dataclass(frozen=True)
class Variant:
    """A benchmark with one setting changed."""

    key: str
    value: Any
    settings: Settings


def read_settings(file: str | None, overrides: Sequence[str] = ()) -> Settings:
    """The settings of a benchmark.

    Args:
        file: a YAML file; looked for as a path, then in `configs/`.
        overrides: `key=value` strings, later ones win.

    Raises:
        LatentDiffError: the file is missing or not YAML, or keys or values do not fit.
    """
    given = read_keys(file, overrides, _texts(overrides))
    return _settings({key: value for key, value in given.items() if not _varied(key)}, file or "")


def read_variants(file: str | None, overrides: Sequence[str] = ()) -> tuple[Settings, list[Variant]]:
    """The settings as they are, and with one of them changed at a time.

    What is changed stands under `vary`: `vary: {concepts.rank: [jsd, gap]}`. Overrides such as `vary.sae.k=[10,40]`
    take the place of all that the file varies.

    Raises:
        LatentDiffError: nothing is varied, or as `read_settings`.
    """
    from omegaconf import OmegaConf

    given = read_keys(file, overrides, _texts(overrides))
    base = {key: value for key, value in given.items() if not _varied(key)}
    asked = {override.partition("=")[0].strip() for override in overrides if _varied(override)}
    variants = []
    for name in (name for name in given if _varied(name) and (name in asked or not asked)):
        key, values = name.partition(".")[2], given[name]
        if OmegaConf.is_list(values):  # from a file
            values = OmegaConf.to_container(values)
        if not isinstance(values, list) or key.split(".")[0] not in _VARIABLE:
            raise LatentDiffError(
                f"'{name}' does not say what to vary; write vary.KEY=[VALUE,...] with a key of {', '.join(_VARIABLE)}"
            )
        variants += [Variant(key, value, _settings({**base, key: value}, file or "")) for value in values]
    if not variants:
        raise LatentDiffError("nothing to vary; name settings and their values, as in vary.concepts.rank=[jsd,gap]")
    return _settings(base, file or ""), variants


def _texts(overrides: Sequence[str]) -> list[str]:
    """The keys whose values are taken as they stand: names and places, of sets too."""
    keys = [override.partition("=")[0].strip() for override in overrides]
    return [*_TEXTS, *(k for k in keys if k.startswith("sets.") and k.rpartition(".")[2] in _SET_TEXTS)]


def _varied(key: str) -> bool:
    return key.split(".")[0] == "vary"


def _settings(given: dict[str, Any], where: str) -> Settings:
    given = dict(given)
    sets: dict[str, dict[str, Any]] = {}
    for key in [key for key in given if key == "sets" or key.startswith("sets.")]:
        _, name, *rest = (*key.split(".", 2), "")
        if not name or not rest[0]:
            raise LatentDiffError(f"'{key}' is no setting of a set; write sets.NAME.KEY, as in sets.photos.images")
        sets.setdefault(name, {})[rest[0]] = given.pop(key)
    settings = fill(Settings, given, where)
    built = [fill(SetSettings, {**keys, "name": name}, f"{where} sets.{name}".strip()) for name, keys in sets.items()]
    for one in built:
        if not one.images:
            missing = f"the set '{one.name}' has no images; name them with sets.{one.name}.images"
            raise LatentDiffError(missing, where=where)
    return replace(settings, sets=tuple(built))


def located(spec: str, root: str) -> str:
    """A source of images as it was named, or in `root` where it is a relative path."""
    if not spec or ":" in spec.split("/", 1)[0] or Path(spec).expanduser().is_absolute():
        return spec  # world:... and the like are no paths
    return str(Path(root).expanduser() / spec)


def to_yaml(settings: Settings) -> str:
    """The settings as YAML that reads back as the same."""
    from omegaconf import OmegaConf

    plain = {**asdict(settings), "sets": {one.name: asdict(one) for one in settings.sets}}
    return OmegaConf.to_yaml(OmegaConf.create(plain))
