"""Channels: messages of bytes between two processes, whatever carries them."""
