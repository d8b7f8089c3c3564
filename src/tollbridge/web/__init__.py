"""Where web pages pay: the face webinos with its sockets, keys, streams, pages and notices."""
