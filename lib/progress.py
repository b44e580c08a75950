"""One progress bar for terminals and notebooks."""

from tqdm.auto import tqdm


class ProgressBar:
    """Shows codec.Progress: symbols/s, time left and bits per symbol. Used with `with`, and called."""

    def __init__(self, description=""):
        self._description = description
        self._bar = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self._bar is not None:
            self._bar.close()

    def __call__(self, progress):
        if self._bar is None:
            self._bar = tqdm(total=progress.total, unit=" symbols", unit_scale=True, desc=self._description)
        self._bar.set_postfix_str(f"{progress.bits / max(progress.done, 1):.3f} bits per symbol", refresh=False)
        self._bar.update(progress.done - self._bar.n)
