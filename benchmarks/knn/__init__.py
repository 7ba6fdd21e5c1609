"""Exact k-NN beside torch mm + topk, faiss and scikit-learn."""

from __future__ import annotations
