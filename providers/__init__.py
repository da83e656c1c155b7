"""Everything that translates: one module per wire format, compatible providers as rows."""

from .base import Adapter, Call, ChatAdapter, Decoder, File, Operation, Pending, Request, Target
from .catalog import COMPATIBLE, Compatible
from .registry import adapter, resolve

__all__ = [
    "COMPATIBLE",
    "Adapter",
    "Call",
    "ChatAdapter",
    "Compatible",
    "Decoder",
    "File",
    "Operation",
    "Pending",
    "Request",
    "Target",
    "adapter",
    "resolve",
]
