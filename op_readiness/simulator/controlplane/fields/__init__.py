"""Objects field by field: schemas, patches, who manages what, comparison."""
