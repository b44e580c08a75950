#@title 1. Set up
import importlib.metadata, pathlib, re, subprocess, sys, urllib.request, zipfile
ADDRESS, TAG = "<address>", "<tag>"
colab = "google.colab" in sys.modules
drive = pathlib.Path("/content/drive/MyDrive")
is_project = lambda folder: pathlib.Path(folder, "lib", "compression.py").exists()
if not any(map(is_project, sys.path)) and not colab:
    sys.exit("lib/ is missing: open this notebook from the project's own folder")
if not any(map(is_project, sys.path)):  # a zip of the project here or on Drive, else the published one, else an upload
    zips = [*pathlib.Path().glob("lockstep*.zip"), *drive.glob("lockstep*.zip")]
    if not zips:
        try:
            zips = [urllib.request.urlretrieve(f"{ADDRESS}/archive/refs/tags/{TAG}.zip", "lockstep.zip")[0]]
        except OSError:
            from google.colab import files
            print(f"{ADDRESS} cannot be reached. Choose a zip of the project:")
            zips = list(files.upload()) or sys.exit("no zip was chosen: run this cell again")
    zipfile.ZipFile(zips[0]).extractall("lockstep-project")
    sys.path.insert(0, str(next(pathlib.Path("lockstep-project").rglob("lib/compression.py")).parents[1].resolve()))
if colab:  # install what Colab lacks, and only that: nothing that is loaded changes, so no restart
    project = pathlib.Path(next(filter(is_project, sys.path)))
    names = re.findall(r"^[\w-]+", (project / "requirements.txt").read_text(), re.MULTILINE)
    here = {re.sub(r"[-_.]+", "-", package.name).lower() for package in importlib.metadata.distributions()}
    if missing := [name for name in names if name not in here]:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)
