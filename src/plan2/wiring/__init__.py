"""How the levels are put together: the parts of the composition root that verbs share."""
