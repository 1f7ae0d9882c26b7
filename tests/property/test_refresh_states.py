"""R-073: refresh tokens as a state machine with two clients, an honest one and a thief.

The model is an own account of the rules in RFC 9700 §4.14 and of the ten seconds in which the same
request may be repeated: it knows which token is current, which one came before it and when that was
used, and whether the family lives.
"""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from plan2.connectivity.identity.refresh import Grant
from plan2.foundation.events.people import SessionEnded
from unit.identity_fixtures import HERE, IdentityStage

T = TypeVar("T")
DAY_S = 86_400
LIFE_S = 30 * DAY_S
CLIENTS = st.sampled_from(["honest", "thief"])


class RefreshMachine(RuleBasedStateMachine):
    """Two clients renew, copy, repeat and wait in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stage = IdentityStage()
        self.chain: list[str] = []
        self.used_s: dict[str, float] = {}
        self.held: dict[str, list[str]] = {"honest": [], "thief": []}
        self.access: list[Grant] = []
        self.now_s = 0.0
        self.is_alive = True

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Do something of the product."""
        return self.loop.run_until_complete(work)

    def teardown(self) -> None:
        """Close what was opened."""
        self.stage.passwords.close()
        self.loop.close()

    @initialize()
    def sign_in(self) -> None:
        """The honest client gets the first token."""
        self.run(self.stage.start())
        self.run(self.stage.add("anna"))
        opened = self.run(self.stage.enter("anna"))
        assert opened is not None
        grant = self.run(self.stage.refresh.begin(opened[1], HERE))
        assert grant is not None
        self.session_id = grant.session.session_id
        self._follow(grant)
        self.held["honest"].append(grant.refresh_token)

    @rule(client=CLIENTS, back=st.integers(0, 4))
    def renew(self, client: str, back: int) -> None:
        """A client shows its newest token, or one that it should have thrown away."""
        if not self.held[client]:
            return
        token = self.held[client][-1 - back % len(self.held[client])]
        expected = self._expected(token)
        grant = self.run(self.stage.refresh.renew(token))
        if expected == "refused":
            assert grant is None
        elif expected == "stolen":
            assert grant is None
            self.is_alive = False
        else:
            assert grant is not None
            if expected == "same":
                assert grant.refresh_token == self.chain[-1]
            else:
                assert grant.refresh_token not in self.chain
                self.used_s[token] = self.now_s
                self.chain.append(grant.refresh_token)
            self._follow(grant)
            self.held[client].append(grant.refresh_token)

    @rule(client=CLIENTS, seconds=st.sampled_from([0.0, 9.5, 10.0, 10.5]))
    def renew_twice(self, client: str, seconds: float) -> None:
        """A client shows its newest token, waits, and shows the same one again."""
        held = len(self.held[client])
        self.renew(client, 0)
        self.wait(seconds)
        self.renew(client, len(self.held[client]) - held)

    @rule()
    def steal(self) -> None:
        """The thief copies what the honest client has now."""
        self.held["thief"].append(self.held["honest"][-1])

    @rule(seconds=st.sampled_from([0.5, 5.0, 10.0, 11.0, 600.0, 7.0 * DAY_S]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now_s += seconds
        self.stage.later(seconds)

    @rule()
    def restart(self) -> None:
        """The process starts anew on the same tables."""
        self.run(self.stage.restart())

    @precondition(lambda self: self.is_alive)
    @rule(text=st.sampled_from(["", "p2r_x_y", "p2r_" + "0" * 32 + "_" + "A" * 43]))
    def guess(self, text: str) -> None:
        """A guess changes nothing; nor does a wrong secret for the right family."""
        wrong = f"p2r_{self.session_id}_{'A' * 43}"
        assert self.run(self.stage.refresh.renew(text)) is None
        assert self.run(self.stage.refresh.renew(wrong)) is None
        self.run(self.stage.refresh.revoke(wrong))

    @invariant()
    def lives_as_the_model_says(self) -> None:
        """The family is over after theft or 30 days, and then no access token of it is good."""
        is_live = self.is_alive and self.now_s < LIFE_S
        assert self.stage.sessions.is_live(getattr(self, "session_id", "")) == (
            is_live and bool(self.chain)
        )
        now_ns = self.stage.clock.now_ns()
        for grant in self.access[-3:]:
            found = self.stage.tokens.find(grant.access_token, "")
            assert (found is not None) == (is_live and now_ns < grant.access_expires_ns)
        ends = self.stage.written.of(SessionEnded)
        assert len(ends) == (0 if self.is_alive else 1)

    def _expected(self, token: str) -> str:
        """What the rules say about showing this token now."""
        if not self.is_alive or self.now_s >= LIFE_S:
            return "refused"
        if token not in self.used_s:
            return "next"
        is_last_used = self.chain[-2:-1] == [token]
        is_soon = self.now_s - self.used_s[token] <= 10
        return "same" if is_last_used and is_soon else "stolen"

    def _follow(self, grant: Grant) -> None:
        self.access.append(grant)
        if not self.chain:
            self.chain.append(grant.refresh_token)


TestRefresh = RefreshMachine.TestCase
TestRefresh.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
