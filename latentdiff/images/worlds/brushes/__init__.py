"""One function per concept that draws it, in files by subject."""
