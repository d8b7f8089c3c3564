"""Options of servers that show a certificate of their own, and the check of its files."""

import ssl
from pathlib import Path

import click

TLS_CERT = click.option(
    "--tls-cert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The certificate to show, with its chain (PEM).",
)
TLS_KEY = click.option(
    "--tls-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The key of the certificate (PEM).",
)


def certificate(shown: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    """Check the files of certificate and key before anything is started.

    Raises UsageError for one without the other, ClickException when they do not fit.
    """
    if shown is None and key is None:
        return None
    if shown is None or key is None:
        raise click.UsageError("--tls-cert and --tls-key belong together")
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(shown, key)
    except OSError as error:
        raise click.ClickException(f"{shown} and {key}: {error.strerror or error}") from None
    return shown, key
