"""The example till passes the tests its developer wrote, in a folder of its own."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import TOKEN, server

ROOT = Path(__file__).parents[2]
TILL = ROOT / "examples" / "till"


@pytest.mark.req("P-047")
def test_its_own_tests_pass_as_its_developer_runs_them(tmp_path):
    for file in TILL.glob("*.py"):
        shutil.copy(file, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_sells_at_a_server(tmp_path):
    with server(tmp_path) as running:
        environment = os.environ | {"TOLLBRIDGE_URL": running.url, "TOLLBRIDGE_TOKEN": TOKEN}

        def till(*arguments, code=0):
            done = subprocess.run(
                [sys.executable, TILL / "till.py", *arguments], cwd=tmp_path, env=environment,
                capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip
            assert done.returncode == code, done.stdout + done.stderr
            return done.stdout

        assert till("sell", "coffee", "3.50") == "1  coffee           3.50 EUR  paid\n"
        assert "not paid  51" in till("sell", "cake", "42.51", code=1)
        till("refund", "1")
        assert till("orders").splitlines()[0].endswith("refunded")
        assert "python till.py sell" in till(code=2)


def test_the_guide_tells_the_truth(tmp_path):
    """What docs/how-to/point-of-sale.md shows is run: its till at a server, its tests by pytest."""
    guide = (ROOT / "docs" / "how-to" / "point-of-sale.md").read_text()
    till, tests = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "guide.py").write_text(till.replace("http://127.0.0.1:8700", "URL"))
    (tmp_path / "test_guide.py").write_text(tests)
    with server(tmp_path) as running:
        program = (tmp_path / "guide.py").read_text().replace("URL", running.url)
        environment = os.environ | {"TOLLBRIDGE_TOKEN": TOKEN}
        said = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment,
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout  # fmt: skip
    assert said.startswith("paid\n")
    assert "11.91 EUR" in said
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_guide.py"],
        cwd=tmp_path, timeout=60, check=True,
    )  # fmt: skip
