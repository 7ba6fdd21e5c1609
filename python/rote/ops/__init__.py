"""Operators of the engines, registered with torch.library under the namespace `rote`."""

from __future__ import annotations
