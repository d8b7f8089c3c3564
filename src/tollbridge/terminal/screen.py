"""The screen people answer at: one question at a time, shown to whoever looks."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from tollbridge.faces.wpi.wishes import Aborted, Answer, Notice, Saying, TimedOut
from tollbridge.ground.flow import Party

PACE_S = 0.8
"""How long people can look at a question that a scenario answers."""


class Gone(LookupError):
    """The question is not on the screen any more."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody is asked; `since` is in seconds of the loop's clock."""

    id: int
    party: Party
    saying: Saying
    since: float
    answer: "asyncio.Future[Answer]"

    def left_s(self, now: float) -> float:
        """Say how long it stays at most."""
        return max(0.0, self.saying.limit_s - (now - self.since))


class Screen:
    """One terminal's screen. `changed` is called whenever it shows something else.

    `pace_s` is how long a question is shown that a scenario answers.
    """

    def __init__(self, changed: Callable[[], None], pace_s: float = PACE_S) -> None:
        self.question: Question | None = None
        self.notice: Saying | None = None
        self._changed = changed
        self._pace_s = pace_s
        self._numbers = count(1)
        self._alone: asyncio.Lock | None = None

    async def ask(self, party: Party, saying: Saying) -> Answer:
        """Show a question and give its answer: TimedOut after `saying.limit_s`, Aborted when it is
        withdrawn. While one is shown, the next waits."""
        self._alone = self._alone or asyncio.Lock()
        async with self._alone:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[Answer] = loop.create_future()
            self.question = Question(next(self._numbers), party, saying, loop.time(), answer)
            self.notice = None
            self._changed()
            dictated = saying.dictated
            limit_s = saying.limit_s if dictated is None else min(self._pace_s, saying.limit_s)
            try:
                async with asyncio.timeout(limit_s):
                    return await answer
            except TimeoutError:
                return TimedOut() if dictated is None else dictated
            finally:
                self.question = None
                self._changed()

    def show(self, saying: Saying) -> None:
        """Show a notice."""
        assert isinstance(saying.wish, Notice)
        self.notice = saying
        self._changed()

    def clear(self, notice: Saying | None = None) -> None:
        """Show no notice any more; with `notice`, only if it is still that one."""
        if self.notice is not None and (notice is None or notice is self.notice):
            self.notice = None
            self._changed()

    def find(self, number: int) -> Question:
        """Give the question with this number. Raises Gone."""
        question = self.question
        if question is None or question.id != number or question.answer.done():
            raise Gone
        return question

    def withdraw(self) -> None:
        """Take back what is asked: whoever waits for the answer gets Aborted."""
        if self.question is not None and not self.question.answer.done():
            self.question.answer.set_result(Aborted())
