"""Learning ahead of coding: a network's weights from a user's own files, for a prior (lib.priors)."""
