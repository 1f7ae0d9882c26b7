"""The words of messages, chats and letters in the languages that people choose from."""
