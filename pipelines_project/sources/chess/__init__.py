"""chess.com's monthly archives."""
