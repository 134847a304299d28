"""What works here, what does not, what to do about it (诊断).

Checks look and change nothing. Each returns findings; who prints them is the command line.
"""

from __future__ import annotations

from cardkit.doctor.drivers import check_drivers, check_network
from cardkit.doctor.finding import Finding, State
from cardkit.doctor.readers import check_readers
from cardkit.doctor.service import check_service
from cardkit.doctor.stores import check_keys, check_registry
from cardkit.doctor.surroundings import Surroundings
from cardkit.doctor.versions import check_versions

__all__ = ["Finding", "State", "Surroundings", "examine"]


def examine(
    *, profile: str = "", registry: str = "", here: Surroundings | None = None
) -> list[Finding]:
    """Run all checks.

    Parameters
    ----------
    profile : str
        Name or path of the profile whose keys are looked for; empty leaves them out.
    registry : str
        SQLAlchemy URL of the registry; empty leaves it out.
    here : Surroundings, optional
        Default: this machine.

    Returns
    -------
    list of Finding
        In the order in which things have to work: the first that fails is the one to mend.
    """
    place = here or Surroundings.here()
    findings = [
        *check_versions(place),
        *check_service(place),
        *check_drivers(place),
        *check_network(place),
        *check_readers(place),
    ]
    if profile:
        findings += check_keys(profile)
    if registry:
        findings += check_registry(registry)
    return findings
