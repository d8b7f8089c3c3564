"""Floor 3: the only hands. Sends, waits, writes; decides nothing that the core decides."""
