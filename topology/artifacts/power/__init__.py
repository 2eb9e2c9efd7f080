"""Power: schedules, loads, failures, the one-line diagram and the battery sizing sheet."""
