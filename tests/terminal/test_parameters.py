"""Parameters from a management system: over real sockets, and over the line in this process."""

import asyncio
import json

import pytest
from starlette.responses import Response
from starlette.routing import Route, Router

from tests.terminal.serving import serving
from tollbridge.engine.transport import HttpTransport
from tollbridge.faces.wpi.wishes import Fetch, Fetched, FetchFault, Parameters
from tollbridge.server.inside import Served, listen
from tollbridge.terminal.parameters import Management

TABLES = {"languages": ["de"], "limits": {"default": {"floor_minor": 500}}}


def fetched(answer, kind=Parameters.PAYMENT, terminal="T1", limit_s=5.0, path="", up=True):
    """Fetch from a management system that answers so."""
    asked = []

    async def handle(request):
        asked.append((request.url.path, request.query_params.get("terminal")))
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return Response("{}")
        status, body = answer
        return Response(body, status)

    async def main():
        listening = listen("127.0.0.1", 0)
        routes = [Route("/{rest:path}", handle)]
        served = Served(Router(routes, lifespan=None), listening)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
        await served.start()
        if not up:
            await served.close()
        transport = HttpTransport()
        try:
            management = Management(transport, url)
            return await management.fetch(Fetch(kind), terminal, limit_s), asked
        finally:
            await transport.close()
            if up:
                await served.close()

    return asyncio.run(asyncio.wait_for(main(), 30))


@pytest.mark.parametrize("kind", Parameters)
def test_parameters_are_fetched_for_one_terminal(kind):
    got, asked = fetched((200, json.dumps(TABLES)), kind, "till & 1", path="/tms/")
    assert got == Fetched(TABLES)
    assert asked == [(f"/tms/v1/parameters/{kind}", "till & 1")]


@pytest.mark.parametrize(
    "answer", [(200, "[]"), (200, "{"), (200, ""), (404, "{}"), (302, ""), (500, "oops")]
)
def test_nonsense_is_a_fault(answer):
    got, _ = fetched(answer)
    assert isinstance(got, FetchFault)
    assert got.why
    assert not got.late


def test_nobody_there_is_a_fault_and_nobody_in_time_another():
    got, _ = fetched((200, "{}"), up=False)
    assert isinstance(got, FetchFault)
    assert not got.late
    got, _ = fetched(2.0, limit_s=0.2)
    assert isinstance(got, FetchFault)
    assert got.late


def test_where_there_is_no_management_system_it_says_so():
    async def main():
        transport = HttpTransport()
        return await Management(transport, "").fetch(Fetch(Parameters.ACQUIRER), "T1", 1.0)

    assert "parameters_url" in asyncio.run(main()).why


def test_a_terminal_fetches_from_its_own_system(tmp_path):
    async def main():
        async with serving(tmp_path, parameters_url="http://127.0.0.1:1") as server:
            response = await server.ask("WPI_SVC_PAYMENT_PARAMETERIZATION")
            return response["errorCondition"]

    assert asyncio.run(main()) == "WPI_ERR_COND_NETWORK_ISSUE"


def test_a_terminal_fetches_from_the_sandbox_in_this_process(tmp_path):
    async def main():
        async with serving(tmp_path) as server:
            found = []
            for service in ("PAYMENT", "ACQUIRER"):
                response = await server.ask(f"WPI_SVC_{service}_PARAMETERIZATION")
                found.append(response["errorCondition"])
            await server.call("PUT", "/terminal/T1/network", {"up": False})
            response = await server.ask("WPI_SVC_PAYMENT_PARAMETERIZATION")
            return [*found, response["errorCondition"]]

    none, issue = "WPI_ERR_COND_NONE", "WPI_ERR_COND_NETWORK_ISSUE"
    assert asyncio.run(main()) == [none, none, issue]
