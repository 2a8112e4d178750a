"""Contract §1, "Shape of the data", figure by figure."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from seed import generator
from seed.generator import (
    GEO_COLUMNS,
    MULTI_VIDEO,
    NO_DESCRIPTION,
    NO_IMAGE,
    NO_TAGS,
    NO_TITLE,
    NO_USER,
    PIN_COLUMNS,
    STORY,
    USER_COLUMNS,
    Generator,
    GeneratorError,
    Post,
    category_ends,
)

CONTRACT_LAST_INDEX = {
    "art": 891,
    "beauty": 1632,
    "christmas": 2636,
    "diy-and-crafts": 3466,
    "education": 4329,
    "event-planning": 5076,
    "finance": 5862,
    "home-decor": 6718,
    "mens-fashion": 7569,
    "quotes": 8483,
    "tattoos": 9455,
    "travel": 10314,
    "vehicles": 11000,
}


@pytest.fixture(scope="module")
def posts() -> list[Post]:
    return list(Generator(11_001, seed=100))


def pins(posts: list[Post], column: str) -> list[object]:
    return [post.pin[PIN_COLUMNS.index(column)] for post in posts]


def share(values: list[object], wanted: object) -> float:
    return values.count(wanted) / len(values)


def people(posts: list[Post]) -> dict[str, set[tuple[object, ...]]]:
    """Poster name → everything that is said of that poster's person and place."""
    found: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for pin, geo, user in posts:
        if pin[4] != NO_USER:
            found[pin[4]].add((pin[5], *geo[2:], *user[1:]))
    return found


def test_every_row_has_its_columns_and_its_offset(posts: list[Post]) -> None:
    assert len(posts) == 11_001
    for index, (pin, geo, user) in enumerate(posts):
        assert (len(pin), len(geo), len(user)) == (len(PIN_COLUMNS), len(GEO_COLUMNS), len(USER_COLUMNS))
        assert pin[0] == geo[0] == user[0] == index


def test_categories_stand_in_the_contracts_blocks(posts: list[Post]) -> None:
    last = {category: index for index, category in enumerate(pins(posts, "category"))}
    assert last == CONTRACT_LAST_INDEX
    assert list(last) == sorted(CONTRACT_LAST_INDEX)


@pytest.mark.parametrize("number", [13, 100, 5_000, 250_000])
def test_blocks_scale_with_the_number_of_posts(number: int) -> None:
    ends = list(category_ends(number).values())
    assert ends[-1] == number
    assert all(before < after for before, after in zip([0, *ends], ends, strict=False))
    for end, last in zip(ends, CONTRACT_LAST_INDEX.values(), strict=True):
        assert end == pytest.approx((last + 1) * number / 11_001, abs=0.5)


@pytest.mark.parametrize("number", [1, 5, 13, 100])
def test_small_tables_are_whole(number: int) -> None:
    rows = list(Generator(number))
    assert [post.pin[0] for post in rows] == list(range(number))
    categories = [post.pin[11] for post in rows]
    assert categories == sorted(categories)
    assert len(set(categories)) == min(number, 13)


def test_follower_count_mix(posts: list[Post]) -> None:
    counts = [str(count) for count in pins(posts, "follower_count")]
    kinds = Counter(
        "error" if count == NO_USER else "plain" if count.isascii() and count.isdigit() else count[-1]
        for count in counts
    )
    assert set(kinds) == {"k", "plain", "M", "error"}
    assert kinds["k"] / len(counts) == pytest.approx(0.75, abs=0.02)
    assert kinds["plain"] / len(counts) == pytest.approx(0.17, abs=0.02)
    assert kinds["M"] / len(counts) == pytest.approx(0.07, abs=0.01)
    assert kinds["error"] / len(counts) == pytest.approx(0.009, abs=0.002)
    assert max(int(count[:-1]) for count in counts if count.endswith("M")) == 15
    assert all(count[:-1].isdigit() for count in counts if count[-1] in "kM")


def test_media_mix(posts: list[Post]) -> None:
    kinds = pins(posts, "is_image_or_video")
    assert set(kinds) == {"image", "video", MULTI_VIDEO}
    assert share(kinds, "image") == pytest.approx(0.89, abs=0.01)
    assert share(kinds, MULTI_VIDEO) == pytest.approx(0.08, abs=0.01)
    assert share(kinds, "video") == pytest.approx(0.03, abs=0.005)


def test_what_was_not_downloaded_is_multi_video(posts: list[Post]) -> None:
    downloaded = pins(posts, "downloaded")
    assert set(downloaded) == {0, 1}
    assert share(downloaded, 0) == pytest.approx(0.025, abs=0.004)
    kinds = {kind for kind, done in zip(pins(posts, "is_image_or_video"), downloaded, strict=True) if not done}
    assert kinds == {MULTI_VIDEO}


@pytest.mark.parametrize(
    ("column", "dirt", "expected"),
    [
        ("description", "No description available Story format", 0.065),
        ("description", "No description available", 0.014),
        ("image_src", "Image src error.", 0.021),
        ("tag_list", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", 0.012),
        ("title", "No Title Data Available", 0.009),
        ("poster_name", "User Info Error", 0.009),
    ],
)
def test_dirt(posts: list[Post], column: str, dirt: str, expected: float) -> None:
    assert share(pins(posts, column), dirt) == pytest.approx(expected, rel=0.15)


def test_rows_without_a_user_are_dirty_in_everything(posts: list[Post]) -> None:
    dirty = [pin for pin, _, _ in posts if NO_USER in pin or NO_TITLE in pin]
    assert dirty
    for pin in dirty:
        assert pin[2:10] == (NO_TITLE, STORY, NO_USER, NO_USER, NO_TAGS, MULTI_VIDEO, NO_IMAGE, 0)


def test_nine_different_tags(posts: list[Post]) -> None:
    for tags in (str(tags) for tags in pins(posts, "tag_list") if tags != NO_TAGS):
        assert len(tags.split(",")) == len(set(tags.split(","))) == 9


def test_descriptions_are_long_and_in_many_scripts(posts: list[Post]) -> None:
    texts = [str(text) for text in pins(posts, "description") if text not in (STORY, NO_DESCRIPTION)]
    assert 150 <= max(map(len, texts)) <= 185
    assert sum(any("а" <= letter <= "я" for letter in text) for text in texts) / len(texts) > 0.1
    assert sum(any(letter > "\uffff" for letter in text) for text in texts) / len(texts) > 0.2


def test_the_other_pin_columns(posts: list[Post]) -> None:
    assert len(set(pins(posts, "unique_id"))) == len(posts)
    for pin, _, _ in posts:
        assert [len(part) for part in pin[1].split("-")] == [8, 4, 4, 4, 12]
        assert pin[10] == f"Local save in /data/{pin[11]}"
        assert pin[8] == NO_IMAGE or pin[8].startswith("https://")


def test_no_text_holds_what_separates_fields_in_the_bulk_load(posts: list[Post]) -> None:
    assert min(letter for post in posts for row in post for text in map(str, row) for letter in text) >= " "


def test_one_poster_is_one_user_one_place_one_country(posts: list[Post]) -> None:
    facts = people(posts)
    assert len(facts) > 4_000
    assert {name for name, said in facts.items() if len(said) > 1} == set()
    # The other way round: no two posters are the same person.
    assert len({next(iter(one))[-4:] for one in facts.values()}) == len(facts)


def test_a_tenth_of_the_names_belong_to_several_people_whom_the_date_tells_apart(posts: list[Post]) -> None:
    owners = defaultdict(set)
    joined: dict[tuple[object, ...], str] = {}
    for pin, _, (_, first, last, _, date_joined) in posts:
        if pin[4] != NO_USER:
            owners[first, last].add(pin[4])
            assert joined.setdefault((first, last, date_joined), pin[4]) == pin[4]
    assert sum(len(posters) > 1 for posters in owners.values()) / len(owners) == pytest.approx(0.10, abs=0.015)


def test_posters_have_several_posts(posts: list[Post]) -> None:
    sizes = Counter(Counter(name for name in pins(posts, "poster_name") if name != NO_USER).values())
    assert sizes[1] < sizes.total() / 2
    assert max(sizes) < 50


def test_ages_and_dates(posts: list[Post]) -> None:
    ages = {post.user[3] for post in posts}
    joined = [post.user[4] for post in posts]
    posted = [post.geo[1] for post in posts]
    assert (min(ages), max(ages)) == (20, 60)
    assert datetime(2015, 10, 21) <= min(joined) < datetime(2015, 10, 22)
    assert datetime(2017, 10, 18) <= max(joined) < datetime(2017, 10, 19)
    assert datetime(2017, 10, 20) <= min(posted) < datetime(2017, 10, 22)
    assert datetime(2022, 10, 17) <= max(posted) < datetime(2022, 10, 19)
    assert min(posted) - max(joined) > timedelta(0)


def test_places(posts: list[Post]) -> None:
    assert len({post.geo[4] for post in posts}) == pytest.approx(237, abs=10)
    assert all(-90 <= post.geo[2] <= 90 and -180 <= post.geo[3] <= 180 for post in posts)
    assert min(post.geo[2] for post in posts) < -85
    assert max(post.geo[3] for post in posts) > 175


def test_the_same_seed_gives_the_same_bytes(posts: list[Post]) -> None:
    """The digest stands for version 1 of the generator: whoever changes it must raise `generator.VERSION`."""
    digest = sha256(repr([tuple(post) for post in posts]).encode()).hexdigest()
    assert (generator.VERSION, digest) == (1, "e89dd23a297b2a62675f35a2610e352ab43d1864b5a7302294b39d5a14408394")


def test_another_seed_gives_other_posts(posts: list[Post]) -> None:
    other = list(Generator(100, seed=101))
    assert not {post.pin[1] for post in other} & {post.pin[1] for post in posts}
    assert [post.user[1:] for post in other] != [post.user[1:] for post in posts[:100]]


def test_a_row_depends_on_the_number_of_posts_only_by_its_category(posts: list[Post]) -> None:
    whole = Generator(500_000)
    for post in posts[::500]:
        same = whole.post(post.pin[0])
        assert (same.geo, same.user) == (post.geo, post.user)
        assert [same.pin[n] for n in (1, 4, 5, 7, 8, 9)] == [post.pin[n] for n in (1, 4, 5, 7, 8, 9)]


@pytest.mark.parametrize("number", [-1, 0, generator.MAX_POSTS + 1])
def test_impossible_numbers_of_posts(number: int) -> None:
    with pytest.raises(GeneratorError, match=f"{number} posts were asked for"):
        Generator(number)


def test_names_last_for_the_largest_table() -> None:
    last = Generator(generator.MAX_POSTS).post(generator.MAX_POSTS - 1)
    assert last.pin[0] == generator.MAX_POSTS - 1
    assert last.pin[11] == "vehicles"
