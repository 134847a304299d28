"""People who work with a registry and the places they work at, for tests of its rooms."""

from __future__ import annotations

from cardkit.registry.books import Books
from cardkit.registry.operators import Operator, Operators, Role
from cardkit.registry.operators.passwords import Cost
from cardkit.registry.places import PlaceRow, Places

CHEAP = Cost(passes=1, lanes=1, kibibytes=64)
PASSWORD = "Tea-at-five-1"

PLACES = [
    PlaceRow("C", "county", "测试县"),
    PlaceRow("T1", "township", "测试乡", "C"),
    PlaceRow("V0", "village", "第0村", "T1", "测试乡第0"),
    PlaceRow("V1", "village", "第1村", "T1", "测试乡第1"),
    PlaceRow("V2", "village", "第2村", "T1", "测试乡第2"),
    PlaceRow("W1", "window", "一号窗口", "C"),
]


class Crew:
    """``li`` and ``wang`` of the county, ``zhao`` and ``qian`` of the window, an inspector."""

    def __init__(self, books: Books) -> None:
        self.operators = Operators(books, cost=CHEAP)
        root = self.operators.init("root", "管理员", PASSWORD)
        self.li = self._add("li", Role.COUNTY, root)
        self.wang = self._add("wang", Role.COUNTY, root)
        self.zhao = self._add("zhao", Role.WINDOW, root)
        self.qian = self._add("qian", Role.WINDOW, root)
        self.sun = self._add("sun", Role.INSPECTOR, root)
        Places(books).load(PLACES, operator=self.li)

    def _add(self, login: str, role: Role, root: Operator) -> Operator:
        return self.operators.add(login, f"测试{login}", [role], PASSWORD, by=root)
