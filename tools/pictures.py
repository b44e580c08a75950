"""Shrink the screenshots that the tests in a browser have left into the README's: python -m tools.pictures (or: make pictures)."""

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
_FROM, _TO = ROOT / "build" / "screenshots", ROOT / "docs" / "pictures"
_WIDTH, _COLOURS = 760, 48
_SHOWN = {"1-form": "form", "2-running": "running", "3-result": "result"}


def main():
    _TO.mkdir(exist_ok=True)
    for source, name in _SHOWN.items():
        picture = Image.open(_FROM / f"{source}.png").convert("RGB")
        smaller = picture.resize((_WIDTH, round(picture.height * _WIDTH / picture.width)), Image.Resampling.LANCZOS)
        smaller.quantize(_COLOURS).save(_TO / f"{name}.png", optimize=True)
        print(f"{name}.png {(_TO / f'{name}.png').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
