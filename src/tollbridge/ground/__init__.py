"""Floor 0: the words every other room uses. Imports the standard library only."""
