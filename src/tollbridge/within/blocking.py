"""A device for scripts and notebooks: the same calls, without await.

    with BlockingDevice.setup("car", "A car", folder=Path("car")) as car:
        pump = car.search_for_device(2, "pump")

An event loop runs in a thread of its own for as long as the device is open.
"""

import inspect
from collections.abc import Coroutine
from functools import wraps
from types import TracebackType
from typing import Any, Self, TypeVar

from tollbridge.engine.background import BackgroundLoop
from tollbridge.within.device import Device

R = TypeVar("R")


class BlockingDevice:
    """A `Device` whose calls return when they are done. Make it with `setup`.

    Everything a device has is here under the same name; errors pass through. A call that is
    interrupted with Ctrl-C is cancelled. The event handler runs in the thread of the loop: it must
    come back at once and may not call the device.
    """

    def __init__(self, device: Device, loop: BackgroundLoop) -> None:
        self._device = device
        self._loop = loop

    @classmethod
    def setup(cls, name: str, description: str, interface_addr: str = "", **more: Any) -> Self:
        """Set a device up as `Device.setup` does, and start its loop. Raises what that raises."""
        loop = BackgroundLoop("an event handler may not call the device")
        try:
            made = loop.run(Device.setup(name, description, interface_addr, **more))
        except BaseException:
            loop.close()
            raise
        return cls(made, loop)

    def run(self, call: Coroutine[Any, Any, R]) -> R:
        """Run anything else where the device runs, for example `buy`, and wait for it."""
        return self._loop.run(call)

    def close(self) -> None:
        """Close the device and end its loop; a second call does nothing."""
        if self._loop.is_open:
            try:
                self._loop.run(self._device.close())
            finally:
                self._loop.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._loop.run(_do(getattr, self._device, name))
        if not inspect.ismethod(found):
            return found

        @wraps(found)
        def call(*args: Any, **more: Any) -> Any:
            return self._loop.run(_do(found, *args, **more))

        return call

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(n for n in dir(self._device) if n[0] != "_")})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


async def _do(function: Any, *args: Any, **more: Any) -> Any:
    """Call in the loop, whose objects belong to it."""
    done = function(*args, **more)
    return await done if inspect.isawaitable(done) else done
