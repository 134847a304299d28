"""A PSAM in a second slot as a key store: it authenticates, and gives no key away.

The PSAM diversifies by itself, so a batch here is only the factors of its cards; every answer is
two commands to the PSAM. What it cannot do - load keys, initialise blank chips, make the MAC of an
id code - is refused before anything is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from cardkit.apdu import Link, StatusError
from cardkit.card import psam
from cardkit.card.key_request import External, Internal, KeyUse, Seal, WriteKey
from cardkit.card.procedure import Procedure
from cardkit.card.psam import Environment, KeyMap, MapEntry
from cardkit.crypto.padding import method2, method2_if_needed
from cardkit.errors import UnreachableError
from cardkit.keys.answers import cut
from cardkit.keys.gate import GATE
from cardkit.keys.psam_errors import (
    NotForPsamError,
    PsamCannotError,
    PsamGoneError,
    PsamLacksKeyError,
    PsamRefusedError,
)
from cardkit.keys.reference import CheckValue, Factors, KeyRef
from cardkit.keys.store import KeyPolicyError

T = TypeVar("T")

KEY_NOT_FOUND = 0x6A88
CONDITIONS_NOT_SATISFIED = 0x6985
NOT_SUPPORTED = 0x6A81

Connect = Callable[[], Link]
Wait = Callable[[UnreachableError], bool]


class PsamStore:
    """Implements `cardkit.keys.store.KeyStore` for authentication.

    Parameters
    ----------
    connect : callable
        Gives a link to the PSAM, behind its chain of links, freshly reset; called again after the
        link was lost. It raises `UnreachableError` while there is no PSAM.
    keys : KeyMap
        Where which key lies.
    environment : Environment
        Of the cards' algorithm.
    test : bool
        Whether the PSAM holds test keys; marks every reference.
    wait : callable, optional
        Asked when the PSAM is gone: returns True to try again (after waiting a little), False to
        give up. Without it nothing is waited for. An attribute, to be set when known.

    Notes
    -----
    Several readers may share one store: a derivation and what is computed with it are never torn
    apart. A link that is lost in between is made anew and everything asked again; that spends no
    try of any card, because the card has not seen an answer yet.
    """

    def __init__(
        self,
        connect: Connect,
        keys: KeyMap,
        environment: Environment = psam.DES,
        *,
        test: bool = False,
        wait: Wait | None = None,
    ) -> None:
        self._connect = connect
        self._keys = keys
        self._environment = environment
        self._test = test
        self.wait = wait
        self._lock = threading.RLock()
        self._link: Link | None = None
        self._atr: bytes | None = None

    def __repr__(self) -> str:
        return f"PsamStore({self._environment})"

    # --- KeyStore ----------------------------------------------------------------------------

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`. A PSAM tells neither version nor check value: records say which it has.

        Raises
        ------
        NotForPsamError
            PSAMs have no such key. Whether this one has it shows when it is used, or by `check`.
        """
        if self._keys.find(name) is None:
            raise NotForPsamError(name)
        return KeyRef(
            name,
            version if version is not None else 1,
            CheckValue(),
            self._test,
            self._environment.algorithm.value,
        )

    def derive_many(self, ref: KeyRef, factors: Factors) -> PsamBatch:
        """See `KeyStore`; keeps the factors, the PSAM is not asked yet.

        Raises
        ------
        NotForPsamError
            PSAMs have no such key.
        KeyPolicyError
            Factors that do not lead to card keys.
        """
        entry = self._keys.find(ref.name)
        if entry is None:
            raise NotForPsamError(ref.name)
        if not factors.cards or len(factors.above) + 1 < entry.place.levels:
            raise KeyPolicyError(
                f"{ref.name}: the key in the PSAM resolves {entry.place.levels} levels",
                hint="it is diversified by card, city and province and never used itself",
            )
        return PsamBatch(self, ref, entry, factors)

    # --- what else one may ask ---------------------------------------------------------------

    def maps(self, name: str) -> bool:
        """Whether PSAMs have such a key."""
        return self._keys.find(name) is not None

    @property
    def environment(self) -> Environment:
        """What the PSAM computes with."""
        return self._environment

    def terminal_number(self) -> str:
        """Terminal number 终端机编号 of the PSAM, 12 digits.

        Raises
        ------
        PsamGoneError, PsamRefusedError
        """
        with self._lock:
            number = self._talk(psam.terminal_number, what="terminal number")
            self._talk(lambda: psam.select(self._environment), what="environment")
            return number

    def has(self, name: str) -> bool:
        """Whether this PSAM has a key with the usage byte and id of the map.

        Raises
        ------
        PsamGoneError, PsamRefusedError
        """
        try:
            self.check([name])
        except (PsamLacksKeyError, NotForPsamError):
            return False
        return True

    def check(self, names: Iterable[str]) -> None:
        """Make sure that this PSAM has some keys, before any card is touched.

        Raises
        ------
        PsamLacksKeyError
            It lacks one; names it with usage byte and id.
        NotForPsamError, PsamGoneError, PsamRefusedError
        """
        for name in names:
            self.ask(name, partial(self._probe, name))

    def _probe(self, name: str) -> Procedure[None]:
        """Derive for a card that does not exist."""
        entry = self._keys.find(name)
        if entry is None:
            raise NotForPsamError(name)
        nothing = bytes(psam.FACTOR_LENGTH)
        levels = [nothing] * entry.place.levels
        yield from psam.derive(self._environment, entry.place, levels, nothing)

    def ask(self, name: str, make: Callable[[], Procedure[T]]) -> T:
        """Run a procedure about one key in the environment.

        Raises
        ------
        PsamLacksKeyError
            No key of that id (6A88), or another usage byte (6985).
        PsamGoneError, PsamRefusedError
        """
        return self._talk(make, what=name, key=name)

    # --- the link ----------------------------------------------------------------------------

    def _talk(self, make: Callable[[], Procedure[T]], *, what: str, key: str = "") -> T:
        GATE.check()
        with self._lock:
            fresh = self._link is None
            while True:
                try:
                    return self._perform(make(), what, key)
                except UnreachableError as error:
                    self._link = None
                    # A link that worked before may only have been reset by another program.
                    if fresh:
                        gone = PsamGoneError(error)
                        if self.wait is None or not self.wait(gone):
                            raise gone from None
                    fresh = True

    def _perform(self, procedure: Procedure[T], what: str, key: str) -> T:
        try:
            return psam.perform(procedure, self._ready())
        except StatusError as error:
            raise self._refused(error, what, key) from None

    def _ready(self) -> Link:
        if self._link is not None:
            return self._link
        link = self._connect()
        if self._atr is not None and link.atr != self._atr:
            raise PsamRefusedError(
                "another PSAM was put in",
                hint="put the first one back, or start again to work with this one",
                zh="插入的不是原来的 PSAM 卡：请换回，或重新开始制卡",
            )
        try:
            psam.perform(psam.select(self._environment), link)
        except StatusError as error:
            raise PsamRefusedError(
                f"the chip has no PSAM environment {self._environment}: answers {error.sw}",
                hint="check that the PSAM is in that reader, and card.algorithm of the profile",
                zh=f"该卡没有 {self._environment} 的 PSAM 环境：请核对读卡器和配置中的算法",
            ) from None
        self._link, self._atr = link, link.atr
        return link

    def _refused(self, error: StatusError, what: str, key: str) -> PsamRefusedError:
        sw = int(error.sw)
        if key and sw == KEY_NOT_FOUND:
            return self._lacking(key, "it knows no such id")
        if key and sw == CONDITIONS_NOT_SATISFIED:
            return self._lacking(key, "that id has another usage byte: a PSAM of another level?")
        if sw == NOT_SUPPORTED:
            return PsamRefusedError(
                f"{what}: this PSAM does not compute in its environment {self._environment}",
                hint="SSF33 needs a PSAM that has the cipher",
                zh=f"该 PSAM 卡不支持 {self._environment} 运算",
            )
        return PsamRefusedError(
            f"{what}: the PSAM answers {error.sw}",
            hint="check profile and PSAM; the card was not asked",
            zh=f"{what}：PSAM 卡返回{sw:04X}，未向卡片发送认证",
        )

    def _lacking(self, name: str, why: str) -> PsamLacksKeyError:
        entry = self._keys.find(name)
        place = f" ({entry.place})" if entry else ""
        return PsamLacksKeyError(
            f"the PSAM has no key {name}{place}: {why}",
            hint="use the PSAM of this city or province; psam.level and psam.keys of the profile "
            "say where a key lies",
            zh=f"PSAM 卡中没有密钥 {name}{place}：请使用本地区的 PSAM，或核对配置 [psam]",
        )


class PsamBatch:
    """Factors of some cards and the place of one key; implements `cardkit.keys.store.KeyBatch`."""

    def __init__(self, store: PsamStore, ref: KeyRef, entry: MapEntry, factors: Factors) -> None:
        self.ref = ref
        self._store = store
        self._place = entry.place
        self._factors = factors

    def __repr__(self) -> str:
        return f"PsamBatch({self.ref.name}, {len(self)} cards)"

    def __len__(self) -> int:
        return self._factors.count

    def external(self, index: int, request: External) -> bytes:
        """See `CardKeys`.

        Raises
        ------
        PsamCannotError
            A key that is not for authentication, or one used without a process key.
        PsamGoneError, PsamRefusedError
        """
        if request.key_use is not KeyUse.PROCESS:
            raise self._cannot("authenticates with process keys only")
        return self._authenticate(index, request.challenge, request.data)

    def internal(self, index: int, request: Internal) -> bytes:
        """See `CardKeys`; errors as `external`."""
        return self._authenticate(index, request.factor, request.data)

    def seal(self, index: int, request: Seal) -> bytes:
        """See `CardKeys`; only keys of type 6 or 8, with a process key made from the vector.

        Raises
        ------
        PsamCannotError
            Another type or another rule: the MAC of an id code is one.
        PsamGoneError, PsamRefusedError
        """
        sealing = request.sealing
        if sealing.key_use is not KeyUse.PROCESS:
            raise self._cannot_seal("makes MACs with process keys only")
        if self._place.type not in psam.MACS or sealing.mac_length > psam.MAC_LENGTH:
            raise self._cannot_seal("has that key for authentication only")
        # What is folded is the whole last block, and that is built of single encryptions.
        if (sealing.encrypt or sealing.fold) and self._place.type not in psam.ENCRYPTS:
            raise self._cannot_seal("has that key for MACs only")
        return self._store.ask(self.ref.name, lambda: self._sealed(index, request))

    def write_key(self, index: int, request: WriteKey, under: PsamBatch | None) -> bytes:  # noqa: ARG002
        """Refused: keys do not leave a PSAM, not even sealed.

        Raises
        ------
        PsamCannotError
        """
        raise self._cannot("cannot load keys")

    def _authenticate(self, index: int, factor: bytes, data: bytes) -> bytes:
        if self._place.type not in psam.ENCRYPTS:
            raise self._cannot("has that key for MACs only")
        return self._store.ask(
            self.ref.name,
            lambda: psam.authentication_data(
                self._store.environment, self._place, self._chain(index), factor, data
            ),
        )

    def _sealed(self, index: int, request: Seal) -> Procedure[bytes]:
        environment, sealing, data = self._store.environment, request.sealing, request.data
        yield from psam.derive(environment, self._place, self._chain(index), request.iv)
        if sealing.encrypt:
            pad = method2 if sealing.always_pad else method2_if_needed
            data = yield from psam.compute(environment, pad(data, environment.block))
        if not sealing.mac_length:
            return data
        covered = method2(request.header + data, environment.block)
        if sealing.fold:
            last = yield from psam.last_block(environment, request.iv, covered)
            return data + cut(last, sealing)
        mac = yield from psam.mac(environment, request.iv, covered)
        return data + mac[: sealing.mac_length]

    def _chain(self, index: int) -> list[bytes]:
        """Factors of one card as the PSAM wants them: card, city, province."""
        at = psam.FACTOR_LENGTH * range(len(self))[index]
        card = self._factors.cards[at : at + psam.FACTOR_LENGTH]
        return [card, *reversed(self._factors.above)][: self._place.levels]

    def _cannot(self, why: str) -> PsamCannotError:
        return PsamCannotError(
            f"{self.ref.name}: a PSAM {why}",
            hint="use a key store or an HSM for this, or another card",
            zh=f"{self.ref.name}：PSAM 卡不能完成此操作，请使用密钥库或加密机",
        )

    def _cannot_seal(self, why: str) -> PsamCannotError:
        return PsamCannotError(
            f"{self.ref.name}: a PSAM {why}",
            hint="use a key store or an HSM for this; where cards are made, put in a complete "
            "pre-made card",
            zh="PSAM 卡不能计算此 MAC：请使用密钥库或加密机；制卡请放识别码完整的预制卡",
        )


__all__ = [
    "NotForPsamError",
    "PsamBatch",
    "PsamCannotError",
    "PsamGoneError",
    "PsamLacksKeyError",
    "PsamRefusedError",
    "PsamStore",
]
