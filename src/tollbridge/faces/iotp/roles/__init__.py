"""What Consumer, Merchant and Payment Handler do: application cores as flows (RFC 3867, 2).

A core yields the wishes of the bridges it calls, Recall, Remember and Browse for its own notes, and
Exchange: with the peer (`person.Post`, `person.Fetch`) and with the person at the device
(`person.Wish`). Whatever a core says to a peer is written down before it is given out.
"""
