"""The HTTP application that the routes of level 5 are mounted on."""
