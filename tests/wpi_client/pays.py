"""A till that can be killed: `pays.py URL JOURNAL COUNT` pays that often, and says each session."""

import sys

from tollbridge.wpi_client import BlockingWpiClient, Options, WpiError

url, journal, count = sys.argv[1:]
options = Options(in_flight_s=0.2, pause_s=0.05, recovery_s=20)
with BlockingWpiClient(
    url, token="test-token", package="com.example.till", journal=journal, options=options
) as till:
    for one in till.recover():
        print("recovered", one.session, one.fate, flush=True)
    for _ in range(int(count)):
        session = till.new_session()
        print("pays", session, flush=True)
        try:
            print("paid", session, till.payment(1191, "EUR", session=session).approved, flush=True)
        except WpiError as error:
            print("failed", session, error, flush=True)
