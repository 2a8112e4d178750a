"""What Spark does: raw records become clean tables, and the tables answer the eight questions.

Pure functions from DataFrame to DataFrame in the middle (`cleaning`, `questions`), input and output at the edges (`lake`, `tables`,
`quarantine`), the commands on top (`batch`).
"""
