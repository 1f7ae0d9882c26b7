"""Level 5: what people and programs see: REST, stream, web app."""
