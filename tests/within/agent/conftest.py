"""Agents in this process, with devices of one world."""

import contextlib
import socket

import pytest

from tests.within.agent.world import World
from tests.within.agent.wrapper import Wrapper
from tollbridge.within.agent.callbacks import Listener
from tollbridge.within.agent.server import Server
from tollbridge.within.agent.service import Agent


@pytest.fixture
def world():
    return World()


@pytest.fixture
def agents(world):
    """Starts agents; gives the port of each."""
    with contextlib.ExitStack() as stack:

        def start(*, callback_port=0, shape=None, reply_limit_s=0.2, make=world.setup, **options):
            tell = None
            if callback_port:
                listener = Listener("127.0.0.1", callback_port, reply_limit_s=reply_limit_s)
                listener.start()
                tell = listener.tell
            taken = socket.create_server(("127.0.0.1", 0))
            server = Server(taken, Agent(make, tell=tell, shape=shape), **options)
            server.start()
            stack.callback(server.close)
            return taken.getsockname()[1]

        yield start


@pytest.fixture
def wrapper(agents):
    """A program connected to an agent of its own."""
    with Wrapper(agents()) as connected:
        yield connected
