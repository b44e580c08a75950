"""Runs that are stopped and go on: checkpoints, and long files in parts."""
