"""Chapter four: merchant, payment handler, courier and consumer trade by an open protocol."""

import json
import signal
import subprocess

from stage import FOLDER, SHOWN, TOLLBRIDGE, command, tell, tell_start

WALLET = ("--wallet", str(FOLDER / "wallet"))
JOURNAL = FOLDER / "payments.sqlite"


def story(handler, courier, merchant):
    tell("A payment handler, a courier, and a merchant who sends its customers there: processes.")
    tell_start(handler, "listens on")
    tell_start(courier, "listens on")
    merchant.arguments = (*merchant.arguments, "--payment-url", f"{handler.url}/iotp/payment",
                          "--delivery-url", f"{courier.url}/iotp/delivery")  # fmt: skip
    tell_start(merchant, "listens on")
    shop = f"{merchant.url}/iotp/merchant?item="

    tell("A consumer, the fourth process, puts a card and an empty purse into a wallet.")
    assert command("iotp", "wallet", "register", "--card", "visa", "--purse", "p1", *WALLET) == 0

    tell("It buys a book by card: the merchant offers, the payment handler takes the payment.")
    assert command("iotp", "buy", f"{shop}book", "--brand", "VISA", "--yes", *WALLET) == 0
    command("iotp", "trace", *WALLET)

    tell("It exchanges value: 20 euros from the card, 20 euros into the purse.")
    assert command("iotp", "wallet", "load", f"{shop}load", "--card", "visa", *WALLET) == 0
    command("iotp", "wallet", "show", *WALLET)

    tell("It buys a book to read at once, and shows the signed receipt to who delivers it.")
    assert command("iotp", "buy", f"{shop}ebook", "--brand", "VISA", "--yes", *WALLET) == 0

    tell("It buys a coffee by purse, in three exchanges, and dies in the middle of them.")
    killed("iotp", "buy", f"{shop}coffee", "--yes", "--die-after", "3", *WALLET)
    tell("Nobody knows yet what became of 2.50; the wallet does know that it does not.")
    command("iotp", "pending", "--suspend", *WALLET)
    tell("It asks the payment handler, and goes on.")
    assert command("iotp", "inquire", *WALLET) == 0
    assert command("iotp", "resume", "--yes", *WALLET) == 0
    assert command("iotp", "inquire", *WALLET) == 0
    command("iotp", "trace", *WALLET)

    tell("The wallet, the payment handler's journal and the card network's book agree:")
    command("iotp", "wallet", "show", *WALLET)
    command("iotp", "trades", *WALLET)
    [_, purse] = json.loads(quietly("iotp", "wallet", "show", "--json", *WALLET))
    assert purse["balance"] == "17.50 EUR", purse
    trades = json.loads(quietly("iotp", "trades", "--json", *WALLET))
    assert [one["stage"] for one in trades] == ["done"] * 4, trades
    assert command("journal", "verify", "--journal", str(JOURNAL)) == 0


def quietly(*arguments):
    """Run a command and give what it said."""
    done = subprocess.run([*TOLLBRIDGE, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


def killed(*arguments):
    """Run a command that is killed, as by a power cut."""
    print(f"  $ tollbridge {' '.join(arguments)}")
    done = subprocess.run([*TOLLBRIDGE, *arguments], capture_output=True, text=True, check=False)
    for line in (done.stderr + done.stdout).splitlines():
        print(f"    {line[:SHOWN]}")
    assert done.returncode == -signal.SIGKILL, done
    print("    killed")
