"""A small county's year: the story of ``python -m benchmarks year``, with every count compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from benchmarks.year.december import Closing
from benchmarks.year.measuring import Meter
from benchmarks.year.office import Office
from benchmarks.year.reconciling import reconcile
from benchmarks.year.story import tell
from cardkit.registry.statistics import Statistics
from tests.registry.support import assert_consistent

PEOPLE, VILLAGES = 600, 6

HAPPENS = (
    "hand-out", "open", "bank-open", "bank-activate", "report-loss-temporary", "report-loss",
    "bank-report-loss", "find", "bank-find", "replace", "exchange", "remake", "freeze", "unfreeze",
    "suspend", "release", "bank-close", "transfer", "cancel", "cancel-bank", "cancel-finish",
    "cancel-withdraw", "end", "change-data", "unlock-pin", "reset-pin", "bank-pin-lock",
    "bank-pin-unlock", "bank-pin-loss", "bank-pin-reset", "temporary-out", "temporary-back",
    "temporary-wipe", "temporary-lost",
)  # fmt: skip

TAMPERED = {
    "states: cards, everything that was done": "UPDATE cards SET state = 'cancelled' WHERE "
    "id = (SELECT min(id) FROM cards WHERE state = 'active')",
    "fen: charges, cash box": "UPDATE charges SET amount = amount + 1 WHERE id = "
    "(SELECT min(id) FROM charges WHERE state = 'paid')",
    "stock: blank-card at K1": "UPDATE stock_moves SET count = count - 1 WHERE id = "
    "(SELECT min(id) FROM stock_moves WHERE kind = 'blank-card')",
    "rows to the bank: sent, answered": "DELETE FROM exchange_rows WHERE batch = (SELECT min(id) "
    "FROM exchange_batches WHERE layout = 'bank-opening-return') AND \"row\" = 9",
    "accounts: registry, bank, each one": "UPDATE bank_accounts SET account = '0' WHERE id = 9",
    "cards in lots: handed": "UPDATE lot_cards SET outcome = 'returned' WHERE lot = 3 AND "
    "position = 1",
    "acts by action, what people did": "DELETE FROM acts WHERE action = 'unlock-pin'",
    "names: registry, police": "UPDATE people SET name = '张三' WHERE id = 9",
    "statistics: made, factory": "UPDATE history SET action = 'made' WHERE sequence = "
    "(SELECT min(sequence) FROM history WHERE action = 'return')",
}
"""What somebody changes behind the registry's back, by the count that must name it."""


def test_a_year_reconciles_and_what_is_changed_behind_its_back_is_named(
    url: str, tmp_path: Path
) -> None:
    # One test for both: telling the story takes most of the time.
    unnoticed: list[str] = []

    def afterwards(office: Office, closing: Closing) -> None:
        assert_consistent(office.registry)
        assert_everything_happened(office)
        unnoticed.extend(tamper(office, closing))
        assert not office.registry.verify_history().intact

    quiet = Meter(quiet=True)
    checks = tell(
        url, tmp_path, people=PEOPLE, villages=VILLAGES, meter=quiet, afterwards=afterwards
    )
    assert not [check for check in checks if not check.agrees]
    assert len(checks) > 75
    assert not unnoticed


def assert_everything_happened(office: Office) -> None:
    acted = {action for (_, action), count in office.done.items() if count}
    assert not set(HAPPENS) - acted
    for what in ("lapsed", "not followed", "cards missing", "grown up", "receipts spoilt"):
        assert office.tally[what], what
    assert office.cash["replace"]  # somebody paid for a second replacement


def tamper(office: Office, closing: Closing) -> list[str]:
    """Change one thing after another; returns those that no count noticed."""
    unnoticed = []
    before = differences(office, closing)
    for what, sql in TAMPERED.items():
        with office.store.writing() as connection:
            assert connection.execute(text(sql)).rowcount, sql
        after = differences(office, closing)
        if what in before or what not in after:
            unnoticed.append(what)
        before = after
    return unnoticed


def differences(office: Office, closing: Closing) -> set[str]:
    statistics = Statistics(office.books)
    fresh = replace(
        closing,
        by_month=statistics.events(period="month", level="township"),
        standing=statistics.standing(level="township"),
    )
    return {check.what for check in reconcile(office, fresh) if not check.agrees}
