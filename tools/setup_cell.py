#@title 1. Set up
#@markdown Colab needs a copy of the project: `lockstep.zip` (made by `make zip`), uploaded here or on your Drive, or the one at this address.
address = "<address>" #@param {type: "string"}
import importlib.metadata, pathlib, re, subprocess, sys, urllib.request, zipfile
colab = "google.colab" in sys.modules
drive = pathlib.Path("/content/drive/MyDrive")
is_project = lambda folder: pathlib.Path(folder, "lib", "compression.py").exists()
if not any(map(is_project, sys.path)) and not colab:
    sys.exit("lib/ is missing: open this notebook from the project's own folder")
if not any(map(is_project, sys.path)):  # a zip of the project here or on Drive, else the published one, else an upload
    zips = [*pathlib.Path().glob("lockstep*.zip"), *drive.glob("lockstep*.zip")]
    if not zips:
        try:
            zips = [urllib.request.urlretrieve(f"{address}/archive/refs/tags/<tag>.zip", "lockstep.zip")[0]]
        except OSError:
            from google.colab import files
            print(f"There is nothing at {address}. Choose lockstep.zip, which make zip makes in the project's folder:")
            zips = list(files.upload()) or sys.exit("no zip was chosen: run this cell again")
    zipfile.ZipFile(zips[0]).extractall("lockstep-project")
    sys.path.insert(0, str(next(pathlib.Path("lockstep-project").rglob("lib/compression.py")).parents[1].resolve()))
if colab:  # install what Colab lacks, and only that: nothing that is loaded changes, so no restart
    project = pathlib.Path(next(filter(is_project, sys.path)))
    wanted = dict(re.findall(r"^([\w-]+)>=([\d.]+)", (project / "requirements.txt").read_text(), re.MULTILINE))
    here = {re.sub(r"[-_.]+", "-", package.name).lower(): package.version for package in importlib.metadata.distributions()}
    numbers = lambda version: [int(number) for number in re.findall(r"\d+", version)[:3]]
    for name in wanted:
        if name in here and numbers(here[name]) < numbers(wanted[name]):
            print(f"{name} {here[name]} is older than {wanted[name]}, which Lockstep is tested with")
    if "tensorflow" not in here:  # as on TPUs; half a gigabyte, for the networks in floating point alone
        print("There is no TensorFlow here: arithmetic=float32 and float16 are left out, all else runs")
    if missing := [name for name in wanted if name not in here and name != "tensorflow"]:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)
