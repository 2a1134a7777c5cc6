"""What can be wrong with the landing zone."""


class LandingError(Exception):
    """The landing zone cannot be read or written as asked; says where, why and what to do."""


class DamagedLoadError(LandingError):
    """A load is not what its record says, or its record cannot be read; landing again mends it."""
