"""Agents in this process, with devices of one world."""

import contextlib
import datetime as dt
import socket

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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


@pytest.fixture
def certificate(tmp_path):
    """A certificate and a key of nobody, under the names the agent looks for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "server.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return tmp_path
