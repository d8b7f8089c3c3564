"""A terminal as a thing: its screen, its printer, its secure element."""
