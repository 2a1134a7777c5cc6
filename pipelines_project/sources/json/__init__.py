"""JSON lines to typed rows, exactly."""
