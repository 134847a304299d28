"""Places: county, townships, villages, employers, windows, and who belongs where."""

from cardkit.registry.places.fund import KINDS, Place, Places, PlacesError
from cardkit.registry.places.residence import Assigned, Membership, Residence
from cardkit.registry.places.sources import PlaceRow, read_assignments, read_places

__all__ = [
    "KINDS",
    "Assigned",
    "Membership",
    "Place",
    "PlaceRow",
    "Places",
    "PlacesError",
    "Residence",
    "read_assignments",
    "read_places",
]
