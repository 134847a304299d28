"""The people who work with a registry: accounts, sessions, and the approval of a second person."""

from cardkit.registry.operators.accounts import Operators
from cardkit.registry.operators.approval import Approval, check_apart
from cardkit.registry.operators.approvals import Approvals
from cardkit.registry.operators.errors import NotAllowedError
from cardkit.registry.operators.roles import Operator, Role
from cardkit.registry.operators.rules import OperatorRules
from cardkit.registry.operators.sessions import Sessions

__all__ = [
    "Approval",
    "Approvals",
    "NotAllowedError",
    "Operator",
    "OperatorRules",
    "Operators",
    "Role",
    "Sessions",
    "check_apart",
]
