"""Check codes: a code is of one document, and reading one forgives what people mistype."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from cardkit.registry.forms import codes

KEY = bytes(range(32))


def test_a_known_seal() -> None:
    sealed = codes.seal(KEY, "SL2012000001", "acceptance", codes.digest("{}"))

    empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert codes.digest("{}") == empty
    assert sealed == hmac.digest(KEY, f"SL2012000001\nacceptance\n{empty}".encode(), "sha256")
    assert codes.check_code(sealed) == "".join(
        codes.ALPHABET[int(f"{int.from_bytes(sealed):0256b}"[at : at + 5], 2)]
        for at in range(0, 60, 5)
    )


@given(st.binary(min_size=32, max_size=32))
def test_people_read_back_what_stands_on_paper(sealed: bytes) -> None:
    code = codes.check_code(sealed)

    assert codes.read_code(codes.grouped(code)) == code
    assert codes.read_code(code.lower().replace("0", "o").replace("1", "l")) == code
    assert not set(code) & set("ILOU")


@given(st.text(max_size=20))
def test_nothing_else_is_read_as_a_code(text: str) -> None:
    code = codes.read_code(text)

    assert code == "" or (len(code) == 12 and set(code) <= set(codes.ALPHABET))


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text()), max_size=5))
def test_the_same_content_is_the_same_text(content: dict[str, object]) -> None:
    turned = dict(reversed(content.items()))

    assert codes.canonical(content) == codes.canonical(turned)
