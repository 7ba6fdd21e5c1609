"""Which folder a config belongs to: a hash of what can change a result.

The hash covers the config without its place, name and device, the version of the experiment's semantics (raised
whenever the same config would give other numbers), the pixels and labels of the data and the augmentation recipe.
It does not cover how many epochs a run lasts that can be extended in its folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rote.runs.whole_files import plain

# Fields that say where, how or under what name something runs, or that other parts of the identity stand for:
# `data`, `root` and `decoder` by the data's fingerprint, `augment` by the recipe's hash, `seed` by the five seeds it
# fills in.
WITHOUT_INFLUENCE = frozenset(
    {
        "data",
        "root",
        "decoder",
        "augment",
        "seed",
        "device",
        "execution",
        "replicas",
        "out",
        "name",
        "fresh",
        "keep_checkpoints",
        "threads",
        "executor",
        "workers",
        "ray_address",
    }
)


@dataclass(frozen=True)
class RunIdentity:
    """What a run is, so that the same command finds its folder again.

    Attributes:
        experiment: the experiment's name.
        semantics: version of the experiment's meaning.
        fields: the config fields that can change a result.
        data: fingerprint of the data (sha256, hex).
        recipe: hash of the augmentation recipe (hex).
    """

    experiment: str
    semantics: int
    fields: Mapping[str, Any]
    data: str
    recipe: str

    @classmethod
    def of(
        cls,
        experiment: str,
        semantics: int,
        config: Mapping[str, Any],
        *,
        data: str,
        recipe: str,
        extensible: bool = False,
    ) -> RunIdentity:
        """The identity of a resolved config (all seeds filled in).

        Args:
            experiment: its name.
            semantics: version of its meaning.
            config: the fields.
            data: fingerprint of the data.
            recipe: hash of the recipe.
            extensible: whether more epochs go on with the same run.
        """
        without = WITHOUT_INFLUENCE | {"epochs"} if extensible else WITHOUT_INFLUENCE
        fields = {key: plain(value) for key, value in config.items() if key not in without}
        return cls(experiment, semantics, fields, data, recipe)

    @property
    def hash(self) -> str:
        """Twelve hex digits of the sha256 over the canonical JSON of all parts."""
        canonical = json.dumps(self.describe(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def folder_name(self) -> str:
        """`<experiment>-<hash>`."""
        return f"{self.experiment}-{self.hash}"

    def describe(self) -> dict[str, Any]:
        """All parts as plain values, as config.json stores them."""
        return {
            "experiment": self.experiment,
            "semantics": self.semantics,
            "fields": dict(self.fields),
            "data": self.data,
            "recipe": self.recipe,
        }

    def differences(self, stored: Mapping[str, Any]) -> list[str]:
        """What differs from the identity another run stored, each as `field: stored, now`."""
        now = self.describe()
        found = [
            f"{part}: {stored.get(part)}, now {now[part]}"
            for part in ("experiment", "semantics", "data", "recipe")
            if stored.get(part) != now[part]
        ]
        before = stored.get("fields", {})
        for key in sorted({*before, *self.fields}):
            if before.get(key) != self.fields.get(key):
                found.append(f"{key}: {before.get(key)}, now {self.fields.get(key)}")
        return found
