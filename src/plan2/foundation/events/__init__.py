"""Events by topic; `catalog` lists every stored type with its version."""
