"""Floor 6: the command line. Reads files and the environment once, and passes them down."""
