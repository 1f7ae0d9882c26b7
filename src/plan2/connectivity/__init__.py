"""Level 2: the gateway, identity and rights."""
