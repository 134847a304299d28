"""What can go wrong with papers, in words a person can act on."""

from __future__ import annotations

from cardkit.registry.errors import RegistryError


class UnknownDocumentError(RegistryError):
    """There is no paper of that number."""

    code = "unknown-document"

    def __init__(self) -> None:
        super().__init__(
            "the registry has no document of that number",
            hint="`cardkit forms list` shows them",
            zh="登记库没有该编号的单据：请用 cardkit forms list 查看",
        )


class MadeBeforeError(RegistryError):
    """There is such a paper already: another one of it has to say that it is a copy."""

    code = "made-before"

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(
            f"this paper was printed before: {number}",
            hint=f"`cardkit forms reprint {number}` prints it again, marked as a reprint",
            zh=f"该单据已打印，编号 {number}：请用 cardkit forms reprint {number} 补打",
        )

    def details(self) -> dict[str, object]:
        """Its number."""
        return {"number": self.number}


class VoidDocumentError(RegistryError):
    """The paper was made void."""

    code = "void-document"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"the paper {number} is void",
            hint="`cardkit forms print` makes a new one of the same act",
            zh=f"单据 {number} 已作废：如需要，请用 cardkit forms print 重新打印该业务的单据",
        )


class FormNumberError(RegistryError):
    """A numbered form is missing, was used before, or is not wanted."""

    code = "form-number"


class NoSuchPaperError(RegistryError):
    """What was asked for has no such paper."""

    code = "no-such-paper"

    def __init__(self, message: str, zh: str) -> None:
        super().__init__(
            message,
            hint="`cardkit forms templates` says what each paper is about",
            zh=f"{zh}，不能打印该单据",
        )
