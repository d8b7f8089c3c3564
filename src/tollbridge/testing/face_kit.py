"""What every face must keep: inherit `FaceKit`, give it your face and some requests, run pytest."""

import random
from collections.abc import Mapping
from typing import Any

from tollbridge.core.asks import Ask, Look
from tollbridge.engine.engine import Partner
from tollbridge.faces.contract import Face, HttpEndpoint
from tollbridge.ground.errors import RemoteProtocolError
from tollbridge.ground.flow import Browse, Exchange, Party, Recall, Remember, Wait
from tollbridge.testing.world import World
from tollbridge.wire.http import Headers, Request, Response

YIELDS = (Ask, Look, Exchange, Recall, Browse, Remember, Wait)
MUTATIONS = 400


class FaceKit:
    """Inherit, override `face`, `parties`, `paying` and `learning`, and let pytest collect."""

    def face(self, world: World) -> Face:
        """Make the face under test, as a process that starts makes it."""
        raise NotImplementedError

    def parties(self) -> Mapping[Party, Partner]:
        """Give the people and peers the face talks to."""
        return {}

    def paying(self) -> Request:
        """Give a request that pays, and the same one every time."""
        raise NotImplementedError

    def learning(self) -> Request:
        """Give the request by which a peer learns what became of `paying`."""
        raise NotImplementedError

    def says(self, response: Response) -> str:
        """Read an answer: "approved", "failed", "unknown" (ask again) or "never heard of"."""
        raise NotImplementedError

    # What is checked

    def test_any_bytes_are_a_message_or_a_protocol_error(self) -> None:
        chance = random.Random(1)
        good = self.paying()
        endpoint, names = self._endpoint(self.face(World()), good)
        for _ in range(MUTATIONS):
            mutated = Request(good.method, good.url, good.headers, _mutated(good.body, chance))
            assert _status(endpoint, mutated, names) < 500

    def test_a_request_without_headers_is_answered(self) -> None:
        good = self.paying()
        endpoint, names = self._endpoint(self.face(World()), good)
        bare = Request(good.method, good.url, Headers(), good.body)
        assert _status(endpoint, bare, names) < 500

    def test_flows_yield_what_the_contract_names(self) -> None:
        face = self.face(World())
        endpoint, names = self._endpoint(face, self.paying())
        flow = face.answer(endpoint.decode(self.paying(), names))
        assert isinstance(next(flow), YIELDS)
        flow.close()

    def test_a_repeated_request_makes_no_second_payment(self) -> None:
        world = World()

        async def main() -> None:
            face = self.face(world)
            for _ in range(3):
                await self._send(world, face, self.paying())

        world.run(main())
        assert len(world.payments) == 1
        assert world.differences() == []

    def test_after_a_crash_at_any_moment_the_peer_learns_the_truth(self) -> None:
        moment: int | None = None
        while True:
            world = World()
            answers: list[str] = []
            crashed = world.run(self._exchange(world, self.paying(), answers), moment)
            world.recover()
            world.run(self._exchange(world, self.learning(), answers))
            taken = sum(movement.taken_minor for movement in world.movements)
            truth = "approved" if taken else "failed"
            assert world.differences() == [], f"crash at {moment}"
            assert answers[-1] in (truth, *(["never heard of"] if not taken else [])), (
                f"crash at {moment}: {taken} taken, and the peer is told {answers[-1]}"
            )
            if len(answers) > 1 and answers[0] != "unknown":
                assert answers[0] == answers[-1], f"crash at {moment}"
            if moment is not None and not crashed:
                return
            moment = 0 if moment is None else moment + 1

    # How

    async def _exchange(self, world: World, request: Request, answers: list[str]) -> None:
        answers.append(self.says(await self._send(world, self.face(world), request)))

    async def _send(self, world: World, face: Face, request: Request) -> Response:
        endpoint, names = self._endpoint(face, request)
        message = endpoint.decode(request, names)
        return endpoint.encode(await world.engine.serve(face, message, self.parties()))

    def _endpoint(self, face: Face, request: Request) -> tuple[HttpEndpoint, dict[str, str]]:
        for endpoint in face.endpoints():
            names = _match(endpoint.path, request.url)
            if names is not None and isinstance(endpoint, HttpEndpoint):
                if endpoint.method == request.method:
                    return endpoint, names
        raise AssertionError(f"no endpoint takes {request.method} {request.url}")


def _status(endpoint: HttpEndpoint, request: Request, names: Mapping[str, str]) -> int:
    """Give the status of what cannot be read; 200 for what can."""
    try:
        endpoint.decode(request, names)
    except RemoteProtocolError as error:
        return endpoint.refuse(error).status
    return 200


def _match(path: str, url: str) -> dict[str, str] | None:
    wanted, given = path.split("/"), url.partition("?")[0].split("/")
    if len(wanted) != len(given):
        return None
    names: dict[str, Any] = {}
    for part, text in zip(wanted, given, strict=True):
        if part.startswith("{"):
            names[part[1:-1]] = text
        elif part != text:
            return None
    return names


def _mutated(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(changed) or 1)
        match chance.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([chance.randrange(256)])
            case 1:
                del changed[place : place + chance.randint(1, 8)]
            case 2:
                changed[place:place] = bytes(chance.choices(b'{}[]":,\\u0x\xff', k=3))
            case _:
                del changed[place:]
    return bytes(changed)
