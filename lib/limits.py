"""Limits that the writer keeps and the reader checks: what is made can be read, and what is read is bounded."""

LONGEST_NAME = 255            # bytes of a file's name, as most systems have it
MOST_ENTRIES = 1 << 20        # files, folders and links in one folder
LONGEST_ENTRY = 1 << 16       # bytes of what is said of one: room for a path and a link's target of 4,096 bytes each, all escaped
LONGEST_INDEX = 1 << 27       # bytes of what is said of all of them
