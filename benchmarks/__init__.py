"""What takes long to measure, run by hand: sizes, speeds and comparisons."""
