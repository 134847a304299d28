"""Whether somebody may do this to a card in that state: asked before anything changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cardkit.codec.numbers import NumberError, parse_citizen_number
from cardkit.registry.errors import IllegalMoveError
from cardkit.registry.lifecycle.errors import NotAllowedError, OutOfOrderError
from cardkit.registry.lifecycle.requests import Agent, Appears, Request
from cardkit.registry.lifecycle.rules import RuleSet
from cardkit.registry.lifecycle.transition import OR, Transition
from cardkit.registry.lifecycle.values import problem_of
from cardkit.registry.operators.roles import Operator
from cardkit.registry.states import DEAD

Refusal = NotAllowedError | IllegalMoveError
_DEAD = frozenset(state.value for state in DEAD)


class Where(NamedTuple):
    """What a rule looks at: the state of its subject, and of both sides of a card."""

    subject: str
    state: str
    card_state: str = ""
    bank_state: str = ""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges one request.

    Parameters
    ----------
    operator : Operator
        As the registry knows this person now, not as the request says.
    """

    rules: RuleSet
    request: Request
    operator: Operator

    def transition(self, number: int, where: Where) -> Transition:
        """The rule that applies to a subject.

        Raises
        ------
        NotAllowedError
            The role, who appears, papers or channel are not those of the rule.
        OutOfOrderError
            No rule of the action begins at this state.
        """
        candidates = self.rules.of_action(self.request.action)
        self._check_role(candidates)
        rule = next((rule for rule in candidates if applies(rule, where)), None)
        if rule is None:
            raise self._out_of_order(number, where, candidates[0])
        self._check_role([rule])
        self._check_channel(rule)
        self._check_appearance(rule)
        if rule.second and self.request.approval is None:
            raise NotAllowedError(
                "second-person",
                f"{rule.action} needs the approval of a second person",
                hint="cardkit approval request, then --approval NUMBER; or --second LOGIN",
                zh=f"{rule.zh}须双人办理：请先申请复核（cardkit approval request），"
                "再用 --approval 编号",
            )
        return rule

    def _out_of_order(self, number: int, where: Where, asked: Transition) -> OutOfOrderError:
        state = where.state
        legal = [
            (rule.action, rule.zh)
            for rule in self.rules.transitions
            if applies(rule, where._replace(subject=rule.subject, state=_state(rule, where)))
        ]
        name = state
        if state in {s for rule in self.rules.of_action(asked.action) for s in rule.sources}:
            name = f"{where.card_state}, at the bank {where.bank_state}"
        kinds = {"application": "application", "temporary": "temporary card"}
        return OutOfOrderError(
            number,
            (name, self.rules.zh("state", state)),
            (asked.action, asked.zh),
            legal,
            kinds.get(asked.subject, "card record"),
        )

    def _check_role(self, rules: Sequence[Transition]) -> None:
        if any(self.operator.has(*rule.roles) for rule in rules):
            return
        wanted = sorted({role for rule in rules for role in rule.roles})
        names = "、".join(self.rules.zh("role", role) for role in wanted)
        raise NotAllowedError(
            "role",
            f"{rules[0].action} is not for your role",
            hint=f"it is done by {', '.join(wanted)}",
            zh=f"您的角色不能办理{rules[0].zh}：须由{names}办理",
        )

    def _check_channel(self, rule: Transition) -> None:
        if self.request.channel in rule.channels:
            return
        names = "、".join(self.rules.zh("channel", c) for c in sorted(rule.channels))
        raise NotAllowedError(
            "channel",
            f"{rule.action} is not done by {self.request.channel}",
            hint=f"it is done by {', '.join(sorted(rule.channels))}",
            zh=f"{rule.zh}不能通过此渠道办理：只能通过{names}",
        )

    def _check_appearance(self, rule: Transition) -> None:
        appearance = self.request.appearance
        if appearance.who not in rule.appears:
            wanted = sorted(rule.appears)
            names = "或".join(self.rules.zh("appears", who) for who in wanted)
            raise NotAllowedError(
                "appearance",
                f"{rule.action} is not done with {appearance.who} appearing",
                hint=f"who may appear: {', '.join(wanted)}",
                zh=f"{rule.zh}须由{names}办理",
            )
        if (appearance.who is Appears.AGENT) != (appearance.agent is not None):
            raise NotAllowedError(
                "agent",
                "an agent is named exactly when an agent appears",
                hint="name and citizen number of the agent",
                zh="代办时须登记代办人姓名和身份证号码（仅代办时填写）",
            )
        self._check_agent(appearance.agent)
        known = self.rules.words["paper"]
        if not appearance.papers <= known.keys():  # not repeated: it may name somebody
            raise NotAllowedError(
                "papers",
                "a paper is named that the rules do not know",
                hint=f"they know {', '.join(known)}",
                zh="材料代码有误：请用" + "、".join(f"{c}（{zh}）" for c, zh in known.items()),
            )
        missing = rule.missing(appearance.who, self.request.channel, appearance.papers)
        if missing:
            names = "、".join(
                "或".join(self.rules.zh("paper", one) for one in paper.split(OR))
                for paper in missing
            )
            raise NotAllowedError(
                "papers",
                f"{rule.action}: papers are missing",
                hint=f"still wanted: {', '.join(missing).replace(OR, ' or ')}",
                zh=f"{rule.zh}缺少材料：{names}",
            )

    def _check_agent(self, agent: Agent | None) -> None:
        """Refuse an agent whose name or citizen number cannot be; says which, not what it is."""
        if agent is None:
            return
        if (problem := problem_of("name", agent.name, "")) is not None:
            raise NotAllowedError(
                "agent",
                f"the agent's {problem.message}",
                hint="as the agent's identity card says it",
                zh=f"代办人{problem.zh}",
            )
        try:
            parse_citizen_number(agent.citizen_number)
        except NumberError:
            raise NotAllowedError(
                "agent",
                "the agent's citizen number cannot be right",
                hint="18 characters as the agent's identity card says them",
                zh="代办人公民身份号码有误：请核对代办人身份证",
            ) from None


def applies(rule: Transition, where: Where) -> bool:
    """Whether a rule begins at these states."""
    if rule.subject != where.subject or where.state not in rule.sources:
        return False
    if rule.bank_in and where.bank_state not in rule.bank_in:
        return False
    if rule.subject == "bank" and where.card_state in _DEAD:
        return False
    return not rule.card_in or where.card_state in rule.card_in


def legal(rules: RuleSet, card_state: str, bank_state: str) -> Iterator[Transition]:
    """Rules that apply to a card, on either side of it."""
    for rule in rules.transitions:
        state = {"card": card_state, "bank": bank_state}.get(rule.subject)
        if state is not None and applies(rule, Where(rule.subject, state, card_state, bank_state)):
            yield rule


def _state(rule: Transition, where: Where) -> str:
    if rule.subject == where.subject:
        return where.state
    return {"card": where.card_state, "bank": where.bank_state}.get(rule.subject, "")
