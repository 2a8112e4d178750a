"""Loaded when LocalStack's Python starts: each JSON path is parsed once.

LocalStack's gateway parses the path of every `$input.json(…)` anew, and its parser makes its own tables for each, in 4 ms. The mapping template
of PutRecords asks for one path a record, so that a request with 500 records took seconds; but the paths of all requests are the same ones.
"""

from functools import lru_cache

import jsonpath_rw

jsonpath_rw.parse = lru_cache(maxsize=4096)(jsonpath_rw.parse)
