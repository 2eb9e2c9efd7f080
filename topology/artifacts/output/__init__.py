"""The output folder: written beside, checked, put in place in one step, or left as it was."""
