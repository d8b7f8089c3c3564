"""`tollbridge psp`: a payment provider of your own, over the sandbox or any other bridge."""

from dataclasses import replace
from pathlib import Path

import click

from tollbridge.cli import logs, tls
from tollbridge.cli import settings as sources
from tollbridge.ground.errors import ConfigError

DEFAULTS = {"journal": "psp.sqlite", "port": 8080}


@click.group()
def psp() -> None:
    """Run a payment provider: the Worldpay Online and SecureNet APIs, over any bridge."""


@psp.command()
@click.option("--journal", type=click.Path(dir_okay=False, path_type=Path),
              help="The journal's file (default psp.sqlite).")  # fmt: skip
@click.option("--host", help="The address to listen on (default 127.0.0.1: this machine only).")
@click.option("--port", type=int, help="The port to listen on (default 8080; 0 takes a free one).")
@tls.TLS_CERT
@tls.TLS_KEY
@sources.SANDBOX_URL
@sources.CA_FILE
@sources.CONFIG
@sources.LOG_LEVEL
@sources.LOG_JSON
def serve(
    journal: Path | None,
    host: str | None,
    port: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    sandbox_url: str | None,
    ca_file: Path | None,
    config: Path | None,
    log_level: str,
    log_json: bool,
) -> None:
    """Start the host.

    With nothing configured it plays the card network itself and has one merchant, whose keys it
    prints; over another network it takes none but your own. They stand in the settings as
    [faces.psp.merchants.NAME].
    """
    from tollbridge.cli.serve import announce, end_quietly, open_house, run
    from tollbridge.faces.psp import PspFace
    from tollbridge.faces.psp.settings import TEST_MERCHANTS

    end_quietly()
    logs.configure(log_level, as_json=log_json)
    settings = sources.read(
        config, DEFAULTS, journal=journal, host=host, port=port, ca_file=ca_file
    )
    settings = replace(settings, faces={"psp": settings.faces.get("psp", {})})
    own = settings.faces["psp"]
    charging = own.get("bridge") or next(iter(settings.bridges), "")
    if charging != "sandbox" and "merchants" not in own:
        text = "[faces.psp.merchants.NAME]: is needed, everybody knows the keys for tests"
        raise ConfigError([text])
    house = open_house(sources.beside(settings, sandbox_url), tls.certificate(tls_cert, tls_key))
    announce(house, "The PSP")
    click.echo(f"  page      {house.url}/psp")
    click.echo(f"  endpoint  {house.url}/v1  (worldpayonlinepayments)")
    click.echo(f"  endpoint  {house.url}/api  (securenet)")
    face = house.running.faces["psp"]
    assert isinstance(face, PspFace)
    for name, merchant in face.host.merchants.items():
        click.echo(f"  merchant  {name}")
        click.echo(f"    merchant_client_key   {merchant.client_key}")
        if face.host.merchants is TEST_MERCHANTS:
            click.echo(f"    merchant_service_key  {merchant.service_key.reveal()}")
            click.echo(f"    public_key            {merchant.public_key}")
            click.echo(f"    secure_net_id         {merchant.secure_net_id}")
            click.echo(f"    secure_key            {merchant.secure_key.reveal()}")
            click.echo("    everybody knows these keys: for tests only")
    run(house)
