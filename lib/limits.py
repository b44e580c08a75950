"""Limits that the writer keeps and the reader checks: what is made can be read, and what is read is bounded."""

LONGEST_NAME = 255            # bytes of a file's name, as most systems have it
# Of files cut into parts
MOST_PARTS = 9_999
MOST_WHOLE = (1 << 48) - 1    # bytes of what is cut
LARGEST_MANIFEST = 1 << 25    # bytes: so many parts of the longest names, all escaped
# Of priors
MOST_LEARNED = 64 << 20       # bytes of training files: half an hour of reading
MOST_NAMES_LEARNED = 1_000    # training files that a prior names
LONGEST_LIST_LEARNED = 1 << 20     # bytes of that list, packed
