"""`python -m tollbridge` is `tollbridge`."""

from tollbridge.cli.main import main

main(prog_name="tollbridge")
