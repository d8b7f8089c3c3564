"""A house whose bridges note every call among the messages, and whose answers can be changed."""

from tests.faces.iotp.roles.trade import House, Person
from tollbridge.faces.iotp.api.bridge import Skeleton
from tollbridge.faces.iotp.api.shapes import function_of
from tollbridge.faces.iotp.message import codec
from tollbridge.faces.iotp.roles.person import Post


class Recording(Skeleton):
    """A bridge that notes every call, in the order of the whole trade."""

    def __init__(self, role, name, inner, house):
        self.role, self.name, self.inner, self.house = role, name, inner, house

    def do(self, call):
        house = self.house
        house.calls.append((self.role, self.name, type(call).__name__, call))
        twist = house.twist(self.role, call)
        if twist is not None and not callable(twist):
            yield from ()
            return twist
        answer = yield from getattr(self.inner, function_of(call).method)(call)
        return twist(answer) if twist is not None else answer


class Recorded(House):
    """A house that notes calls of bridges and messages.

    `twists` are (role, kind of call, answer or function of the true answer): the first that fits
    is used, once.
    """

    def __init__(self, *items, **settings):
        super().__init__(*items, **settings)
        self.calls, self.twists = [], []
        self.around = lambda role, name, bridge: Recording(role, name, bridge, self)

    def twist(self, role, call):
        for one in self.twists:
            if one[0] == role and one[1] is type(call):
                self.twists.remove(one)
                return one[2]
        return None

    async def _carried(self, wanted):
        if isinstance(wanted, Post):
            self.calls.append(("", "", "+".join(codec.read(wanted.body).kinds), None))
        answer = await super()._carried(wanted)
        body = getattr(answer, "body", b"")
        if body:
            self.calls.append(("", "", "+".join(codec.read(body).kinds), None))
        return answer

    def names(self, *roles, bridge=None):
        return [
            name for role, own, name, _ in self.calls
            if role in roles and (bridge is None or own in {bridge, ""})
        ]  # fmt: skip

    def said(self, kind, role=None):
        return [
            call for who, _, name, call in self.calls
            if name == kind.__name__ and role in {None, who}
        ]  # fmt: skip


def bought(house, name, person=None):
    """Buy something in a house of its own; gives what became of it."""
    house.person = person or Person(instrument=None)
    got = []

    async def main():
        got.append(await house.buy(name))

    house.run(main)
    return got[0]
