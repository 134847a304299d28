"""Receipts and forms 回执与表单: records, typeset as PDF, that can be checked and printed again."""

from cardkit.registry.forms.kinds import PAPERS, Kind, Reason, VoidReason
from cardkit.registry.forms.records import Check, Document, Finding, NumberedForm, Subject
from cardkit.registry.forms.room import Forms

__all__ = [
    "PAPERS",
    "Check",
    "Document",
    "Finding",
    "Forms",
    "Kind",
    "NumberedForm",
    "Reason",
    "Subject",
    "VoidReason",
]
