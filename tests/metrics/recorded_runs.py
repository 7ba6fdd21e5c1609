"""Trainings without networks: logits that drift toward their labels in random orders, and scores by other tools' loops.

The loops here follow the definitions as the released codes of the papers do: one example, one time after another, in
float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from rote.metrics import Recorder


@dataclass
class Run:
    """What was shown.

    Attributes:
        batches: of every epoch (ids, logits, labels), in their order.
        n, classes: numbers of examples and classes.
    """

    batches: list[list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]]
    n: int
    classes: int

    def play(self, recorder: Recorder, epochs: range | None = None) -> Recorder:
        for epoch in self.batches if epochs is None else self.batches[epochs.start : epochs.stop]:
            for batch in epoch:
                recorder.update(*batch)
            recorder.end_epoch()
        return recorder

    def presentations(self, example: int) -> list[tuple[int, np.ndarray, int]]:
        """(epoch from 1 on, logits float64, label) of an example, in order."""
        return [
            (number, logits[row].double().numpy(), int(labels[row]))
            for number, epoch in enumerate(self.batches, 1)
            for ids, logits, labels in epoch
            for row in (ids == example).nonzero().squeeze(1).tolist()
        ]


def make_run(
    *, n=60, classes=5, epochs=8, batch_size=16, dtype=torch.float32, drop_last=False, repeats=False, seed=0
) -> Run:
    """Some examples are learned at once, some late, some never; with `repeats` ids are drawn with replacement."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (n,), generator=generator)
    ease = torch.randn(n, generator=generator)
    batches = []
    for epoch in range(epochs):
        ids = torch.randperm(n, generator=generator)
        if repeats:
            ids = torch.randint(0, n, (n,), generator=generator)
        parts = [part for part in ids.split(batch_size) if len(part) == batch_size or not drop_last]
        shown = []
        for part in parts:
            logits = torch.randn(len(part), classes, generator=generator)
            logits[torch.arange(len(part)), labels[part]] += ease[part] * 2 + 0.4 * epoch - 1
            shown.append((part, logits.to(dtype), labels[part]))
        batches.append(shown)
    return Run(batches, n, classes)


def toneva(acc: list[int]) -> dict[str, float]:
    """Forgetting statistics of one example from its correctness at each presentation."""
    acc = np.array(acc)
    transitions = acc[1:] - acc[:-1]
    learned = np.where(acc == 1)[0]
    wrong = np.where(acc == 0)[0]
    return {
        "forgetting_events": len(np.where(transitions == -1)[0]),
        "never_learned": len(acc) > 0 and len(learned) == 0,
        "first_learned": learned[0] if len(learned) else np.nan,
        "last_incorrect": wrong[-1] if len(wrong) else np.nan,
        "last_learned": (wrong[-1] + 1 if len(wrong) else 0) if len(acc) and acc[-1] == 1 else np.nan,
    }


def margin_of(logits: np.ndarray, label: int) -> float:
    """The assigned logit minus the largest other one, by sorting as the AUM code does."""
    top = np.argsort(-logits, kind="stable")[:2]
    largest_other = logits[top[1]] if top[0] == label else logits[top[0]]
    return logits[label] - largest_other


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max())
    return e / e.sum()


def expected_scores(run: Run) -> dict[str, np.ndarray]:
    """All scores of a run."""
    rows = []
    for example in range(run.n):
        shown = run.presentations(example)
        acc = [int(logits.argmax() == label) for _, logits, label in shown]
        p = np.array([softmax(logits)[label] for _, logits, label in shown])
        margins = [margin_of(logits, label) for _, logits, label in shown]
        error = [np.linalg.norm(softmax(z) - np.eye(run.classes)[y]) for _, z, y in shown]
        by_epoch = {epoch: hit for (epoch, _, _), hit in zip(shown, acc, strict=True)}  # the last one counts
        right_epochs = [epoch for epoch, hit in by_epoch.items() if hit]
        wrong_epochs = [epoch for epoch, hit in by_epoch.items() if not hit]
        stays = [epoch for epoch in right_epochs if epoch > max(wrong_epochs, default=0)]
        row = toneva(acc) | {
            "presentations": len(shown),
            "epochs_seen": len(by_epoch),
            "first_learned_epoch": min(right_epochs, default=np.nan),
            "learned_epoch": min(stays, default=np.nan),
        }
        row["unforgettable"] = bool(sum(acc)) and row["forgetting_events"] == 0
        for name, values in {"aum": margins, "confidence": p, "mean_el2n": error, "correctness": acc}.items():
            row[name] = np.mean(values) if len(shown) else np.nan
        row["mean_loss"] = np.mean(-np.log(p)) if len(shown) else np.nan
        row["variability"] = np.std(p) if len(shown) else np.nan
        row["threshold_closeness"] = row["confidence"] * (1 - row["confidence"])
        rows.append(row)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
