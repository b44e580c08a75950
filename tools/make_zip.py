"""Put what Colab needs of the project into build/lockstep.zip: python -m tools.make_zip (or: make zip)."""

import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_FILES = ("lib/**/*", "*.ipynb", "docs/*.ipynb", "requirements.txt", "README.md")


def main():
    target = ROOT / "build" / "lockstep.zip"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted({path for pattern in _FILES for path in ROOT.glob(pattern)}):
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
                archive.write(path, Path("lockstep") / path.relative_to(ROOT))
    print(f"{target}, {target.stat().st_size:,} bytes: upload it to Colab's files, or to Drive")


if __name__ == "__main__":
    main()
