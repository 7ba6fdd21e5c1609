"""Seeds of the networks of a run: stored results lean on them."""

from __future__ import annotations

from rote.experiments.base.network_seeds import network_seed


def test_networks_of_two_runs_have_no_seed_in_common():
    assert [network_seed(0, network) for network in (0, 1, 7)] == [0, 1, 7]
    assert [network_seed(3, network) for network in (0, 1)] == [3 << 20, (3 << 20) + 1]
    assert network_seed(2**64 - 1, 5) == 2**64 - 2**20 + 5
