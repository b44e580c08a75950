"""Kinds of data: each a module with the contexts that suit it, over the one engine of lib.mixing."""

from lib.mixing.kinds import binary, image, text, video

KINDS = {kind.name: kind for kind in (text.KIND, binary.KIND, video.KIND, image.KIND)}
