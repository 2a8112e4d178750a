"""The source's posts (contract §1): a pure generator, and the loader that puts its rows into MySQL."""
