"""Reports as single files that stand alone: pages and drawings."""
