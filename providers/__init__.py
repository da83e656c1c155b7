"""Everything that translates: one module per wire format, compatible providers as rows."""

from .base import Adapter, Call, Decoder, File, Request, Target
from .catalog import COMPATIBLE, Compatible
from .registry import adapter, resolve

__all__ = [
    "COMPATIBLE",
    "Adapter",
    "Call",
    "Compatible",
    "Decoder",
    "File",
    "Request",
    "Target",
    "adapter",
    "resolve",
]
