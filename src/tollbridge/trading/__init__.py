"""A Consumer that trades over the trading protocol: its wallet, its way to peers, its screens."""
