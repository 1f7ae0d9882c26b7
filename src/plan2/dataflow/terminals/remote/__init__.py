"""A terminal in another process, on this machine or another: protocol, host, and our end of it."""
