"""Limits that the writer keeps and the reader checks: what is made can be read, and what is read is bounded.

They may be raised, and never lowered: files of released versions stay readable.
"""

# Of headers
LONGEST_NAME = 255                       # bytes of a file's name, as most systems have it
LONGEST_HEADER = 1 << 26                 # bytes of a .lks header, packed
LONGEST_BESIDE_DESCRIPTION = 1 << 16     # bytes of it that all fields but the source's description take at most
# Of descriptions
LARGEST_DESCRIPTION = 1 << 26            # bytes of what a source has beside its symbols, once inflated
# Of images
MOST_SIDE = 1 << 24                      # pixels
MOST_SAMPLES = 1 << 31                   # codes of one picture
MOST_FILTERED = 1 << 31                  # bytes of a PNG's rows
MOST_INFLATED = 1100                     # bytes of them for a deflated one; deflate reaches 1,032
# Of sounds
MOST_CHANNELS = 8
MOST_SOUND = 1 << 31                    # bytes of the samples of one
# Of videos
MOST_TOKEN = (1 << 16) - 1
MOST_CELLS = 1 << 16                     # of a frame
# Of what is left out of the symbols
MOST_ORIGINAL = 1 << 48                  # bytes of an original
# Of folders
MOST_ENTRIES = 1 << 20                   # files, folders and links in one
LONGEST_ENTRY = 1 << 16                  # bytes of what is said of one: room for a path and a link's target of 4,096 bytes each, all escaped
LONGEST_INDEX = 1 << 27                  # bytes of what is said of all of them
# Of files cut into parts
MOST_PARTS = 9_999
MOST_WHOLE = (1 << 48) - 1               # bytes of what is cut
LARGEST_MANIFEST = 1 << 25               # bytes: so many parts of the longest names, all escaped
# Of priors
MOST_LEARNED = 64 << 20                  # bytes of training files: half an hour of reading
MOST_NAMES_LEARNED = 1_000               # training files that a prior names
LONGEST_LIST_LEARNED = 1 << 20           # bytes of that list, packed
MOST_WEIGHTS = 1 << 26                   # of a network that learned before
LARGEST_NETWORK = 1 << 27                # bytes of one, as it is kept
# Of what inputs are made of
DEEPEST_TREE = 8                         # transforms inside each other
MOST_NODES = 1 << 22                     # leaves and transforms
MOST_TAKEN_APART = 1 << 31               # bytes that all transforms of an input give together
MOST_GROUPS = 16                         # of an input, each with a source and a predictor of its own
# Of deflated streams
MOST_UNDONE = 1 << 28                    # bytes that one inflates to
MOST_RECIPE = 1 << 24                    # bytes of what makes it again
MOST_SEARCHED = 1 << 24, 1 << 10         # places that are looked at for matches: so many, and so many for each byte
# Of JPEGs
MOST_BLOCKS = 1 << 24                    # of 64 coefficients, 2 GB: 716 million pixels in colour, 4:2:0
