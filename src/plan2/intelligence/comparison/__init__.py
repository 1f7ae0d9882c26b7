"""Live trading held against its replay: which trades differ, and why."""
