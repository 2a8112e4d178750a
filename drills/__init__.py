"""The drills: load runs down both paths while one thing breaks, all drains, and the audit decides."""
