"""Voyage AI, which has embeddings and rankings but no chat: https://docs.voyageai.com."""

from __future__ import annotations

from .catalog import Compatible

VOYAGE = Compatible(
    base_url="https://api.voyageai.com/v1",
    key_env=("VOYAGE_API_KEY",),
    base_env=("VOYAGE_API_BASE",),
)
