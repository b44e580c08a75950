"""Shrink the screenshots that the tests in a browser have left into the README's: python -m tools.pictures (or: make pictures)."""

from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).parents[1]
_FROM, _TO = ROOT / "build" / "screenshots", ROOT / "docs" / "pictures"
_WIDTH, _COLOURS = 760, 48
_SHOWN = {"JupyterLab 1-form": "form", "JupyterLab 2-running": "running", "JupyterLab 3-result": "result"}


def main():
    _TO.mkdir(exist_ok=True)
    for source, name in _SHOWN.items():
        picture = Image.open(_FROM / f"{source}.png").convert("RGB")
        below = ImageChops.difference(picture, Image.new("RGB", picture.size, picture.getpixel((picture.width // 2, picture.height - 5))))
        picture = picture.crop((0, 0, picture.width, below.getbbox()[3] + 10))             # without the empty page below
        smaller = picture.resize((_WIDTH, round(picture.height * _WIDTH / picture.width)), Image.Resampling.LANCZOS)
        smaller.quantize(_COLOURS).save(_TO / f"{name}.png", optimize=True)
        print(f"{name}.png {(_TO / f'{name}.png').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
