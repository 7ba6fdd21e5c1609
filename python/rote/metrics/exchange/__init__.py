"""Files of other tools, read and written: cartography, AUM, cleanlab Datalab, Feldman and Zhang's npz.

    from rote.metrics import exchange
    exchange.write_cartography(folder, logits, labels)     # dynamics_epoch_k.jsonl, as the data maps' code reads them
    exchange.read_aum("aum_values.csv")

Every reader checks what it reads and names the file and the place of what is wrong with it (docs/scores-exchange.md).
"""

from __future__ import annotations

from rote.metrics.exchange.aum import AumRecords, read_aum, read_aum_records, write_aum, write_aum_records
from rote.metrics.exchange.cartography import (
    CartographyDynamics,
    read_cartography,
    write_cartography,
)
from rote.metrics.exchange.data_map import read_data_map, write_data_map
from rote.metrics.exchange.datalab import DatalabInputs, datalab_inputs, issue_columns, read_datalab, write_datalab
from rote.metrics.exchange.dynamics import ExampleDynamics, recorded_logits
from rote.metrics.exchange.errors import ExchangeError
from rote.metrics.exchange.heldout import (
    HeldoutEstimates,
    HeldoutRuns,
    read_heldout_estimates,
    read_heldout_runs,
    write_heldout_estimates,
    write_heldout_run,
)
from rote.metrics.exchange.sources import TrainingScores, read_training_scores

__all__ = [
    "AumRecords",
    "CartographyDynamics",
    "DatalabInputs",
    "ExampleDynamics",
    "ExchangeError",
    "HeldoutEstimates",
    "HeldoutRuns",
    "TrainingScores",
    "datalab_inputs",
    "issue_columns",
    "read_aum",
    "read_aum_records",
    "read_cartography",
    "read_data_map",
    "read_datalab",
    "read_heldout_estimates",
    "read_heldout_runs",
    "read_training_scores",
    "recorded_logits",
    "write_aum",
    "write_aum_records",
    "write_cartography",
    "write_data_map",
    "write_datalab",
    "write_heldout_estimates",
    "write_heldout_run",
]
