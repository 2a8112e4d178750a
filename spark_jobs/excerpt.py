"""A raw record where a person reads it: in an error's sentence, on a terminal."""


def excerpt(raw: str, longest: int = 100) -> str:
    """The text in one line of at most `longest` characters, what cannot be printed as Python would escape it.

    So no record can move the cursor, colour a terminal, turn the direction of writing, or break a line.
    """
    # One more than fits shows whether anything is left out.
    text = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in raw[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
