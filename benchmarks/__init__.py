"""How fast this project is, beside the plain way and the limit; no test depends on the figures."""
