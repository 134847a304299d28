"""What ``cardkit issue`` makes cards with: the readers, the PSAM, the keys."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cardkit.cli import windows
from cardkit.cli.connect import VIRTUAL, choose_reader, find_pcsc
from cardkit.cli.issue_text import Language, text
from cardkit.cli.key_access import open_keys
from cardkit.cli.output import Output
from cardkit.cli.psam_link import Patience, psam_store
from cardkit.errors import UnreachableError, UsageError

if TYPE_CHECKING:
    from cardkit.issuance.batch import Batch
    from cardkit.issuance.feed import Feed
    from cardkit.issuance.keyring import Keyring
    from cardkit.keys import KeyStore
    from cardkit.keys.psam_guard import GuardedPsam
    from cardkit.profile import Profile


def check_chips(readers: Sequence[str], chips: str) -> None:
    """The virtual reader never runs out of chips: refuse once what every one would be refused."""
    if list(readers) == [VIRTUAL] and chips != "complete":
        raise UsageError(
            f"{chips} chips need keys that no PSAM has",
            hint="--chips complete, or leave out the PSAM",
        )


def feeds_of(
    profile: Profile,
    names: Sequence[str],
    chips: str,
    idle: float | None,
    folder: Path,
    window: str | None,
    *,
    psam: str | None,
) -> list[Feed]:
    """The readers that are meant; checked before anything else happens."""
    if list(names) == [VIRTUAL]:
        from cardkit.virtual.factory import CardFactory, check_synthetic  # noqa: PLC0415
        from cardkit.virtual.feed import VirtualFeed  # noqa: PLC0415

        check_synthetic(profile)
        factory = CardFactory(profile, store=open_keys(profile, "issue"))
        kind = {"blank": chips == "blank", "complete": chips == "complete"}
        first = windows.first_virtual_serial(window)
        return [VirtualFeed(factory, folder / "virtual-cards", first=first, **kind)]
    find_pcsc()
    from cardkit.apdu import pcsc  # noqa: PLC0415
    from cardkit.issuance.feed import PcscFeed  # noqa: PLC0415

    if not names:
        states = [state for state in pcsc.reader_states() if state.name != psam]
        return [PcscFeed(choose_reader(None, states), idle=idle)]
    there = [reader for reader in pcsc.list_readers() if reader != psam]
    chosen = [r for r in there if any(name.casefold() in r.casefold() for name in names)]
    if not chosen:
        raise pcsc.NoSuchReaderError(
            f"no reader has {' or '.join(map(repr, names))} in its name"
            if there else "no reader is connected",
            hint="; ".join(there) or "plug one in, or use --reader virtual",
            zh=f"没有这样的读卡器，已连接：{'；'.join(there) or '无'}",
        )  # fmt: skip
    return [PcscFeed(reader, idle=idle) for reader in chosen]


def psam_of(
    stack: ExitStack, profile: Profile, reader: str | None, image: Path | None
) -> GuardedPsam | None:
    """The PSAM that is meant, if one is; asked for the window's keys before any card comes."""
    from cardkit.keys.open_psam import WINDOW_KEYS  # noqa: PLC0415

    store = psam_store(stack, profile, reader, image, "issue")
    if store is not None:
        store.check(WINDOW_KEYS)
    return store


def keyring_of(profile: Profile, psam: GuardedPsam | None) -> Keyring:
    """The keys are opened before anything else: without keys nobody is enrolled."""
    from cardkit.issuance.keyring import Keyring  # noqa: PLC0415
    from cardkit.issuance.plan import algorithm_of, tree_of  # noqa: PLC0415
    from cardkit.keys.open_psam import WINDOW_KEYS  # noqa: PLC0415
    from cardkit.keys.open_store import factors_above  # noqa: PLC0415

    store: KeyStore = psam or open_keys(profile, "issue")
    above, tree = factors_above(profile), tree_of(profile)
    keyring = Keyring(store, above, tree, algorithm_of(profile))
    keyring.check(WINDOW_KEYS)
    return keyring


def be_patient(psam: GuardedPsam | None, batch: Batch, output: Output, lang: Language) -> None:
    """Wait for a PSAM that was pulled, and say so."""
    if psam is None:
        return

    def tell(error: UnreachableError) -> None:
        output.note(text("waiting", lang, error=error.line(lang)))

    psam.wait = Patience(tell, lambda: batch.stopping)
