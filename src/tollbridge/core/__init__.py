"""Floor 1: what a payment is. Pure functions and values; knows no wire, no clock, no disk."""
