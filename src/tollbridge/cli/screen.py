"""What strangers say, made fit for a terminal."""


def shown(text: str) -> str:
    """Show what a stranger said without obeying it: no control sequences reach the terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
