"""Which Osler this is."""

VERSION = "0.1.0"
SOFTWARE = f"osler {VERSION}"
