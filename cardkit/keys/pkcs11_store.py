"""A key store over a token, in the process that owns it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from cardkit.card.key_request import External, Internal, KeyUse, Seal, WriteKey
from cardkit.crypto.check_value import check_value_3des
from cardkit.keys import answers
from cardkit.keys.bulk import interleave
from cardkit.keys.pkcs11_token import Token, TokenKey
from cardkit.keys.reference import CheckValue, Factors, KeyRef
from cardkit.keys.remote_messages import KeysLostError
from cardkit.keys.secret import Unpicklable
from cardkit.keys.store import KeyBatch, KeyMissingError, KeyPolicyError
from cardkit.keys.token_settings import TOKEN, TokenSettings


class TokenKeyStore(Unpicklable):
    """Master keys in a token; implements `cardkit.keys.store.KeyStore`.

    Keys between master and card (of a province or a city) are derived inside and stay there.
    """

    def __init__(self, token: Token, settings: TokenSettings) -> None:
        self._token = token
        self._settings = settings
        self._keys: dict[tuple[str, int], TokenKey] = {}
        self._above: dict[tuple[str, int, tuple[bytes, ...]], Any] = {}
        self._blocks: tuple[bytes, bytes] = b"", b""
        self._look()

    def __repr__(self) -> str:
        return f"TokenKeyStore({self._token.label}, {len(self._keys)} keys)"

    def _look(self) -> None:
        keys = {(key.name, key.version): key for key in self._token.own_keys()}
        if self._keys and not keys:
            # A token that was pulled may still list: nothing.
            raise KeysLostError(
                f"token {self._token.label} went away (it lists no keys)",
                hint="put it back; the next call opens it again",
            )
        self._keys = keys

    def list_keys(self) -> list[tuple[KeyRef, dict[str, bool]]]:
        """Every key, with what the token vouches for."""
        self._look()
        places = sorted(self._keys)
        return [
            (self.reference(*place), self._token.attributes(self._keys[place])) for place in places
        ]

    def reference(self, name: str, version: int | None = None) -> KeyRef:
        """See `KeyStore`."""
        if self._newest(name, version) is None:
            self._look()
        chosen = self._newest(name, version)
        if chosen is None:
            raise KeyMissingError(
                f"no key {name}"
                + (f" of version {version}" if version is not None else "")
                + f" in token {self._token.label}",
                hint="cardkit key list shows what is there",
            )
        key = self._keys[name, chosen]
        test = key.test or self._settings.test
        return KeyRef(name, chosen, self._check_value(key), test, key.algorithm)

    def _newest(self, name: str, version: int | None) -> int | None:
        versions = [v for n, v in self._keys if n == name and version in {None, v}]
        return max(versions, default=None)

    def _check_value(self, key: TokenKey) -> CheckValue:
        # Computed: some tokens leave CKA_CHECK_VALUE empty.
        if key.algorithm != "3des":
            return CheckValue(self._token.stated_check_value(key))
        return CheckValue(self._token.encrypt(key.handle, bytes(8))[:3])

    def derive_many(self, ref: KeyRef, factors: Factors) -> KeyBatch:
        """See `KeyStore`."""
        key = self._diversifiable(ref)
        parent = self._parent(key, factors.above)
        if not factors.cards:
            return HeldKeys(ref, self._token, lambda _: parent, 1, passing=False)
        blocks = self._interleaved(factors.cards)
        if self._settings.card_keys == TOKEN:
            return HeldKeys(ref, self._token, self._deriver(parent, blocks), factors.count)
        plain = ref.name.rpartition(".")[2] in self._settings.plain_loading
        return answers.KeyArray(ref, self._token.encrypt_many(parent, blocks), plain_loading=plain)

    def _interleaved(self, cards: bytes) -> bytes:
        # Every key of a card is derived from the same factors, one after the other.
        known, blocks = self._blocks
        if cards is not known:
            blocks = interleave(cards)
            self._blocks = cards, blocks
        return blocks

    def derive_wrapped(self, ref: KeyRef, factors: Factors, transport: KeyRef) -> bytes:
        """Card keys under a transport key of the token, AES key wrap; in clear nowhere.

        The token may have set odd parity on them.

        Returns
        -------
        bytes
            24 bytes a card.
        """
        wrapping = self._keys[transport.name, transport.version]
        if wrapping.algorithm != "aes":
            raise KeyPolicyError(f"{transport} is no AES key", hint="import or generate one")
        parent = self._parent(self._diversifiable(ref), factors.above)
        blocks = interleave(factors.cards)
        return b"".join(
            self._wrapped(parent, blocks[at : at + 16], wrapping.handle)
            for at in range(0, len(blocks), 16)
        )

    def _wrapped(self, parent: Any, block: bytes, wrapping: Any) -> bytes:  # noqa: ANN401
        child = self._token.derive(parent, block, extractable=True)
        try:
            return self._token.wrap(wrapping, child)
        finally:
            self._token.destroy(child)

    def _diversifiable(self, ref: KeyRef) -> TokenKey:
        key = self._keys[ref.name, ref.version]
        if key.algorithm != "3des":
            raise KeyPolicyError(f"{ref} is a transport key, nothing is diversified from it")
        return key

    def _parent(self, key: TokenKey, above: tuple[bytes, ...]) -> Any:  # noqa: ANN401
        """The key above the cards' own: derived inside, once."""
        if not above:
            return key.handle
        place = (key.name, key.version, above)
        if place not in self._above:
            upper = self._parent(key, above[:-1])
            self._above[place] = self._token.derive(upper, interleave(above[-1]))
        return self._above[place]

    def _deriver(self, parent: Any, blocks: bytes) -> Callable[[int], Any]:  # noqa: ANN401
        return lambda index: self._token.derive(parent, blocks[16 * index : 16 * index + 16])

    # --- making keys ------------------------------------------------------------------------------

    def put(self, name: str, version: int, algorithm: str, value: bytes, wanted: bytes) -> KeyRef:
        """Import a key; its check value has to fit before and after."""
        self._new(name, version)
        if algorithm == "3des" and check_value_3des(value, max(len(wanted), 2)) != wanted:
            raise KeyPolicyError(
                f"check value of key {name} does not fit", hint="nothing was imported; type it anew"
            )
        test = self._settings.test
        key = self._token.put(name, version, algorithm, value, test=test)
        return self._added(key)

    def generate(self, name: str, version: int, algorithm: str) -> KeyRef:
        """Make a key inside the token."""
        self._new(name, version)
        key = self._token.generate(name, version, algorithm, test=self._settings.test)
        return self._added(key)

    def destroy(self, ref: KeyRef) -> None:
        """Destroy a key for good."""
        key = self._keys.pop((ref.name, ref.version))
        for place in [place for place in self._above if place[:2] == (ref.name, ref.version)]:
            del self._above[place]
        self._token.destroy(key.handle)

    def _new(self, name: str, version: int) -> None:
        self._look()
        if (name, version) in self._keys:
            raise KeyPolicyError(
                f"key {name} v{version} is in token {self._token.label} already",
                hint="versions stand side by side: take the next number",
            )

    def _added(self, key: TokenKey) -> KeyRef:
        self._keys[key.name, key.version] = key
        return self.reference(key.name, key.version)

    # --- what the token can do --------------------------------------------------------------------

    def capabilities(self) -> list[tuple[str, bool, str]]:
        """Try out what this program needs, with keys that are gone afterwards.

        Returns
        -------
        list of tuple
            What, whether the token can, and why not or what to know.
        """
        tried: dict[str, Any] = {}
        token = self._token

        def master() -> Any:  # noqa: ANN401
            return tried.setdefault("master", token.passing_key("3des"))

        def bulk() -> str:
            token.encrypt(master(), os.urandom(32))
            return "bulk derivation, 4,096 cards a call"

        def inside() -> str:
            tried["child"] = token.derive(master(), os.urandom(16), extractable=True)
            return "province and city keys stay inside"

        def wrapped() -> str:
            token.wrap(token.passing_key("aes"), tried["child"])
            return "card keys under a transport key, never in clear"

        results = [
            _attempt("3DES-ECB encryption", bulk),
            _attempt("derivation inside", inside),
            _attempt("AES key wrap", wrapped),
        ]
        results += [
            ("SM4", False, "PKCS#11 has no SM4: a PSAM, or an SDF device behind a key service"),
            ("SSF33", False, "secret: a PSAM only"),
        ]
        return results


def _attempt(what: str, work: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return what, True, work()
    except KeyPolicyError as error:
        return what, False, error.message
    except KeyError:
        return what, False, "needs derivation inside"


class HeldKeys(Unpicklable):
    """Keys that a token keeps to itself; implements `cardkit.keys.store.KeyBatch` where it can.

    Parameters
    ----------
    handle_of : callable
        Index → the token's object.
    passing : bool
        Whether the object is made for one answer and destroyed after it.
    """

    def __init__(
        self,
        ref: KeyRef,
        token: Token,
        handle_of: Callable[[int], Any],
        count: int,
        *,
        passing: bool = True,
    ) -> None:
        self.ref = ref
        self._token = token
        self._handle_of = handle_of
        self._count = count
        self._passing = passing

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"HeldKeys({self.ref}, {len(self)} keys)"

    def external(self, index: int, request: External) -> bytes:
        """See `CardKeys`."""
        return self._with(index, lambda encrypt: answers.external(encrypt, request))

    def internal(self, index: int, request: Internal) -> bytes:
        """See `CardKeys`."""
        return self._with(
            index,
            lambda encrypt: answers.authentication_data(encrypt, request.factor, request.data),
        )

    def seal(self, index: int, request: Seal) -> bytes:
        """See `CardKeys`; with a process key only, the rest needs the key itself."""
        if request.sealing.key_use is not KeyUse.PROCESS:
            raise self._kept_inside("seal with")
        used = self._with(index, lambda encrypt: encrypt(request.iv))
        return answers.seal_with(used, request.header, request.data, request.iv, request.sealing)

    def write_key(self, index: int, request: WriteKey, under: KeyBatch | None) -> bytes:  # noqa: ARG002
        """See `CardKeys`; a card has no key in common with the token that it could be under."""
        raise self._kept_inside("load")

    def _kept_inside(self, what: str) -> KeyPolicyError:
        return KeyPolicyError(
            f"token {self._token.label} keeps {self.ref.name} inside, cardkit cannot {what} it",
            hint='card_keys = "worker" lets card keys into the process that owns the token',
        )

    def _with(self, index: int, work: Callable[[answers.Encrypt], bytes]) -> bytes:
        if not 0 <= index < self._count:
            raise IndexError(f"the batch has {self._count} keys")
        handle = self._handle_of(index)
        try:
            return work(lambda blocks: self._token.encrypt(handle, blocks))
        finally:
            if self._passing:
                self._token.destroy(handle)
