"""What a build writes: views of the plan, the files of each target, and the folder they stand in."""
