"""What the chapters are told with: processes, commands, and a few words."""

import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path

TOLLBRIDGE = [sys.executable, "-m", "tollbridge"]
FOLDER = Path(".demo")
SHOWN = 112


class Process:
    """A server or a sandbox, with its output in a file."""

    def __init__(self, name, *arguments, program=TOLLBRIDGE):
        self.program = program
        self.log = FOLDER / f"{name}.log"
        self.arguments = arguments
        self.process = None

    def start(self, says):
        with self.log.open("a") as log:
            mark = log.tell()
            self.process = subprocess.Popen(
                [*self.program, *self.arguments], stdout=log, stderr=log, start_new_session=True
            )
        for _ in range(600):
            line = next(
                (line for line in self.log.read_text()[mark:].splitlines() if says in line), None
            )
            if line:
                self.url = line[line.index("http://") :].split()[0]
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"{self.log} says:\n{self.log.read_text()}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


def tell(text):
    print(f"\n{text}")


def command(*arguments):
    """Run a command of Tollbridge as a person would, and show both; give its exit code."""
    return _run(arguments).returncode


def read(*arguments):
    """Run a command, show both, and give what it said. It must succeed."""
    done = _run(arguments)
    assert done.returncode == 0, arguments
    return done.stdout


def _run(arguments):
    print(f"  $ tollbridge {' '.join(arguments)}")
    done = subprocess.run([*TOLLBRIDGE, *arguments], capture_output=True, text=True, check=False)
    for line in (done.stderr + done.stdout).splitlines():
        print(f"    {line[:SHOWN]}")
    return done


def tell_start(process, says):
    process.start(says)
    print(f"    {process.url}  (process {process.process.pid})")


def get(url, path):
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    line.request("GET", path)
    return line.getresponse().read()
