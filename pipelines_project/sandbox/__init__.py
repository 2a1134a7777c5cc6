"""Small local stand-ins for the services that the sources ask; only demo and tests use them."""
