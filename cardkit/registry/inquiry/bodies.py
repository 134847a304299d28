"""Bodies of requests and answers, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cardkit.registry.inquiry.questions import FORMS, By, Question

MOST_QUESTIONS = 500  # in one request


class QuestionBody(BaseModel):
    """Which card has this number, and how does it stand."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    by: By = Field(description="Kind of number.")
    key: str = Field(min_length=1, max_length=64, description="The number.", repr=False)
    region: str = Field(
        default="", max_length=32, description="Region to ask; empty: the number decides."
    )

    def question(self) -> Question:
        """What the desk takes."""
        return Question(self.by, self.key, self.region)


def _key(by: By) -> Any:  # noqa: ANN401 - pydantic's field
    """A number whose form the document shows."""
    return Field(pattern=f"^{FORMS[by].pattern}$", description="The number.", repr=False)


class ByCardNumber(QuestionBody):
    """A question by card number."""

    by: Literal[By.CARD_NUMBER]
    key: str = _key(By.CARD_NUMBER)


class ByCardIdCode(QuestionBody):
    """A question by card id code."""

    by: Literal[By.CARD_ID_CODE]
    key: str = _key(By.CARD_ID_CODE)


class ByCitizenNumber(QuestionBody):
    """A question by citizen number."""

    by: Literal[By.CITIZEN_NUMBER]
    key: str = _key(By.CITIZEN_NUMBER)


class ByInsuranceNumber(QuestionBody):
    """A question by insurance number."""

    by: Literal[By.INSURANCE_NUMBER]
    key: str = _key(By.INSURANCE_NUMBER)


class ByBankCardNumber(QuestionBody):
    """A question by bank card number."""

    by: Literal[By.BANK_CARD_NUMBER]
    key: str = _key(By.BANK_CARD_NUMBER)


OneQuestion = Annotated[
    ByCardNumber | ByCardIdCode | ByCitizenNumber | ByInsuranceNumber | ByBankCardNumber,
    Field(discriminator="by"),
]
"""A question alone: a number that cannot be one of its kind is refused with the whole request."""


class QuestionsBody(BaseModel):
    """Several questions at once; a number of a wrong form is a problem of its own."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    questions: Annotated[list[QuestionBody], Field(min_length=1, max_length=MOST_QUESTIONS)]


class Card(BaseModel):
    """How a card stands; a field without the right to it does not exist."""

    model_config = ConfigDict(extra="forbid")

    state: str = ""
    valid: bool = False
    kind: str = ""
    changed_at: str = ""
    lapses_at: str = ""
    bank_state: str = ""
    card_number: str = ""
    card_id_code: str = ""
    insurance_number: str = ""


class Person(BaseModel):
    """Whose card it is."""

    model_config = ConfigDict(extra="forbid")

    name: str = ""
    citizen_number: str = ""
    sex: str = ""
    birth_date: str = ""


class Account(BaseModel):
    """The bank account on the card."""

    model_config = ConfigDict(extra="forbid")

    bank_card_number: str = ""


class Answer(BaseModel):
    """What the registry of a region has at an instant."""

    model_config = ConfigDict(extra="forbid")

    as_of: str = Field(description="The instant, UTC, that the answer is true for.")
    region: str = Field(description="Whose registry answered.")
    found: bool
    card: Card | None = None
    person: Person | None = None
    account: Account | None = None


class Problem(BaseModel):
    """Why there is no answer (RFC 9457)."""

    type: str
    title: str
    title_zh: str
    status: int
    detail: str = ""


class Answers(BaseModel):
    """One answer, or problem, a question, in their order."""

    model_config = ConfigDict(extra="forbid")

    answers: list[Answer | Problem]


class StoppedCard(BaseModel):
    """A card that must not be taken."""

    card_number: str
    state: str
    since: str


class Blacklist(BaseModel):
    """A page of the blacklist."""

    as_of: str
    region: str
    cards: list[StoppedCard]
    next: int = Field(description="Give it as `after` for the next page; 0: this was the last.")


class Health(BaseModel):
    """Whether the service can answer."""

    status: str
    as_of: str
