"""Context mixing: contexts of each kind of data (`kinds`) over one engine, which mixes what they predict and codes bit by bit."""
