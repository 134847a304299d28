"""Open the key store that a profile names."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from cardkit.errors import RefusedError, UsageError
from cardkit.keys.reference import city_factor, province_factor
from cardkit.keys.soft import SoftKeyStore
from cardkit.profile import Profile

_PACKAGE = "package:"


def open_store(profile: Profile) -> SoftKeyStore:
    """Return the store of ``keys.store``.

    Raises
    ------
    UsageError
        No such file, or not a key file.
    RefusedError
        Test keys under a profile that is not marked as a test.
    """
    store = SoftKeyStore.from_file(
        _path(profile), plain_loading=frozenset(profile.keys.plain_key_loading)
    )
    if not profile.test:
        raise RefusedError(
            f"profile {profile.name} is not marked as a test and names a file of test keys",
            hint="test keys protect nothing; set test = true only for synthetic cards",
        )
    return store


def _path(profile: Profile) -> Path:
    name = profile.keys.store
    if not name.startswith(_PACKAGE):
        return profile.folder / name
    try:
        return Path(str(importlib.resources.files("keys_test") / name.removeprefix(_PACKAGE)))
    except ModuleNotFoundError:
        raise UsageError(
            "the test keys are not installed", hint="install cardkit from its own checkout"
        ) from None


def factors_above(profile: Profile) -> tuple[bytes, ...]:
    """Province and city factor of a profile's cards."""
    return (province_factor(profile.region.province), city_factor(profile.region.city))
