"""Packages: serialised entities read from archives, changed, addressed and put in order for registration."""
