from __future__ import annotations

import pytest

from cardkit.registry.journal import Event
from cardkit.registry.places import Residence
from cardkit.registry.registry import Registry
from tests.registry.crew import Crew
from tests.registry.support import crowd, enrol, issue


@pytest.fixture
def crew(registry: Registry) -> Crew:
    """Six people of V0 to V5 (the last three have no place); all but the last have cards."""
    crew = Crew(registry.books)
    for record in registry.get_many(enrol(registry, crowd(6)).new)[:5]:
        issue(registry, record)
    Residence(registry.books).assign_by_address(operator=crew.li)
    return crew


def happen(registry: Registry, card_id: int, action: str, instant: str) -> None:
    """Something that leaves the card in its state: only the history is counted."""
    card = registry.get(card_id)
    with registry.books.store.writing() as connection:
        event = Event(action, card_id, card.person_id, card.state, card.state)
        registry.books.journal.append(connection, instant, event)
