"""Runs that belong together: a study is one condition over seeds; its counterpart differs in the named fields alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rote.claims.records import SEEDS, RunRecord
from rote.runs.identity import WITHOUT_INFLUENCE

# Fields that do not tell conditions apart: seeds, places, and how often a run is looked at.
_NOT_A_CONDITION = (WITHOUT_INFLUENCE | {*SEEDS, "evaluations"}) - {"augment"}
# Without MixUp its share means nothing, without `same-class` its images.
_MEANT_ONLY_WITH = {"mixup_p": ("mixup", "none"), "momentum": ("optimizer", "adam")}


@dataclass(frozen=True)
class Study:
    """One condition, in a run for each seed.

    Attributes:
        experiment: the experiment.
        fields: what defines the condition, seeds apart: fields of the config, the data's fingerprint, the version of
            the experiment's semantics.
        runs: {seeds: run}.
    """

    experiment: str
    fields: Mapping[str, Any]
    runs: Mapping[tuple[int, ...], RunRecord]

    @property
    def records(self) -> list[RunRecord]:
        """The runs, ordered by seeds."""
        return [self.runs[seeds] for seeds in sorted(self.runs)]

    def numbers(self, name: str) -> list[float]:
        """A number of every summary, ordered by seeds."""
        return [record.number(name) for record in self.records]

    def __getitem__(self, field: str) -> Any:
        return self.fields.get(field)


class Pairs:
    """Runs of two conditions with the same seeds.

    Attributes:
        first: the one condition.
        second: the other.
        seeds: the seeds that both have, in order.
    """

    def __init__(self, first: Study, second: Study) -> None:
        self.first = first
        self.second = second
        self.seeds = sorted(set(first.runs) & set(second.runs))

    def differences(self, name: str) -> list[float]:
        """first - second of a number of the summaries, pair by pair."""
        return [self.first.runs[s].number(name) - self.second.runs[s].number(name) for s in self.seeds]

    def of_first(self, measure: Callable[[RunRecord], float]) -> list[float]:
        """A measure of the paired runs of the first condition."""
        return [measure(self.first.runs[seeds]) for seeds in self.seeds]

    def of_second(self, measure: Callable[[RunRecord], float]) -> list[float]:
        """A measure of the paired runs of the second condition."""
        return [measure(self.second.runs[seeds]) for seeds in self.seeds]


class Evidence:
    """All finished runs, by study.

    Args:
        records: the runs. Of two runs of one condition and one set of seeds the one that was looked at more often
            counts; their results are the same.
    """

    def __init__(self, records: Iterable[RunRecord]) -> None:
        self.records = list(records)
        found: dict[tuple[str, str], dict[tuple[int, ...], RunRecord]] = {}
        fields_of: dict[tuple[str, str], dict[str, Any]] = {}
        for record in self.records:
            fields = condition_fields(record)
            key = (record.experiment, _key(fields))
            fields_of[key] = fields
            runs = found.setdefault(key, {})
            present = runs.get(record.seeds)
            if present is None or _looks(record) > _looks(present):
                runs[record.seeds] = record
        self.studies = [Study(key[0], fields_of[key], runs) for key, runs in found.items()]
        self._by_key = dict(zip(found, self.studies, strict=True))

    def of(self, experiment: str, *conditions: Callable[[Study], bool]) -> list[Study]:
        """The studies of an experiment that meet all conditions, in a stable order."""
        chosen = [s for s in self.studies if s.experiment == experiment and all(test(s) for test in conditions)]
        return sorted(chosen, key=lambda study: (study.records[0].data, _key(study.fields)))

    def counterpart(self, study: Study, **changes: Any) -> Study | None:
        """The study of the same experiment that differs in the given fields alone, or None."""
        fields = _meaningful({**study.fields, **changes})
        return self._by_key.get((study.experiment, _key(fields)))

    def pairs(self, study: Study, **changes: Any) -> Pairs | None:
        """The study beside its counterpart, where they share a seed."""
        other = self.counterpart(study, **changes)
        if other is None or other is study:
            return None
        pairs = Pairs(study, other)
        return pairs if pairs.seeds else None


def condition_fields(record: RunRecord) -> dict[str, Any]:
    """What defines the condition of a run, seeds apart."""
    fields = {key: value for key, value in record.config.items() if key not in _NOT_A_CONDITION}
    fields["augment"] = record.recipe
    identity = record.record.get("identity") or {}
    return _meaningful({**fields, "data_fingerprint": record.data_fingerprint, "semantics": identity.get("semantics")})


def _meaningful(fields: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(fields)
    if "view_recipe" in fields and fields["view_recipe"] is None:
        fields["view_recipe"] = fields.get("augment")  # views of the recipe that was trained on
    if not fields.get("loo_views", True):
        fields.pop("view_recipe", None)  # no views among the neighbours of `layers`, which the claims read
    without = {field for field, (dial, off) in _MEANT_ONLY_WITH.items() if fields.get(dial, off) == off}
    return {key: value for key, value in fields.items() if key not in without}


def _key(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, default=str)


def _looks(record: RunRecord) -> Sequence[Any]:
    return (record.config.get("evaluations") or 0, str(record.folder))


# Conditions of benign runs and of examinations of them ---------------------------------------------------------------


def random_labels(study: Study) -> bool:
    """Every label redrawn, from the classes of the data."""
    return study["labels"] == "random" and study["noise"] in (None, 1, 1.0) and study["label_classes"] is None


def default_conventions(study: Study) -> bool:
    """Squared error and batch normalization; other conventions are the matter of claim 14."""
    return study["loss"] == "mse" and study["norm"] == "batch"


def new_views(study: Study) -> bool:
    """A new view at every visit, no pool."""
    return study["views"] is None


def plain(study: Study) -> bool:
    """No augmentation."""
    return study["augment"] == "none" and study["mixup"] in (None, "none")


def augmented(study: Study) -> bool:
    """A recipe. Steps of the dial of strength and views that are other images are the matter of claims 11 and 12."""
    recipe = str(study["augment"])
    return not plain(study) and recipe != "same-class" and not recipe.startswith("strength-") and "@" not in recipe
