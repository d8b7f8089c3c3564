"""Floor 6: what a payment terminal is made of: screen, reader, secure element, printer, page."""
