"""Fixtures shared by all tests: devices, instruction-set levels and the real CIFAR-10 folder."""

from __future__ import annotations
