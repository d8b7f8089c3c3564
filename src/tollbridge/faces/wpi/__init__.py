"""The Worldline Payment Interface 2.0, revision 7: payment terminals for business applications."""

from collections.abc import Mapping

from tollbridge.faces.wpi.face import WpiFace
from tollbridge.faces.wpi.profile import Profile, profile
from tollbridge.ground.clock import Clock
from tollbridge.ground.errors import ConfigError
from tollbridge.ground.ids import IdSource


def face(settings: Mapping[str, object], clock: Clock, ids: IdSource) -> WpiFace:
    """Make the face from a terminal profile, and further terminals in the table `terminals`, by
    their names, as far as they differ from it. Raises ConfigError listing all problems."""
    own = {name: value for name, value in settings.items() if name != "terminals"}
    others = settings.get("terminals", {})
    if not isinstance(others, Mapping) or not all(
        isinstance(table, Mapping) for table in others.values()
    ):
        raise ConfigError(["terminals: a table of tables is expected"])
    first = profile(own)
    made, problems = [first], []
    for name, table in others.items():
        try:
            made.append(profile({"terminal_id": name, **table}, first))
        except ConfigError as error:
            problems += [f"terminals.{name}.{problem}" for problem in error.problems]
    if len({each.terminal_id for each in made}) < len(made):
        problems.append("terminals: two have the same terminal_id")
    if problems:
        raise ConfigError(problems)
    return WpiFace(made, clock, ids)


__all__ = ["Profile", "WpiFace", "face", "profile"]
