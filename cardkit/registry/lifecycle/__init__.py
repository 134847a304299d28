"""The life of a card: who may do what with it, when, with whom and with which papers."""

from cardkit.registry.lifecycle.engine import Lifecycle
from cardkit.registry.lifecycle.requests import (
    Act,
    Agent,
    Appearance,
    Appears,
    BulkResult,
    Request,
)
from cardkit.registry.lifecycle.rules import RuleSet, load
from cardkit.registry.lifecycle.transition import Transition

__all__ = [
    "Act",
    "Agent",
    "Appearance",
    "Appears",
    "BulkResult",
    "Lifecycle",
    "Request",
    "RuleSet",
    "Transition",
    "load",
]
