"""Everything that waits: the way of one call, its connections, its books."""

from .router import Router
from .single import acompletion, completion
from .stream import ChatStream
from .sync import SyncStream

__all__ = ["ChatStream", "Router", "SyncStream", "acompletion", "completion"]
