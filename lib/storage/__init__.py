"""Files and folders on disk: outputs that appear complete or not at all, folders as bytes, names."""
