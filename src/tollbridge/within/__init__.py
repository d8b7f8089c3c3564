"""Things: devices that find, pay and serve one another, with sockets and files."""
