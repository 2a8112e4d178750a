"""The table of odd inputs is what the integration test takes it for."""

from collections import Counter

from tests.odd_inputs import RECORDS, REQUESTS, Cleaned, DeadLettered, Quarantined, Refused


def test_there_are_more_than_200_cases_and_no_two_share_a_name() -> None:
    names = Counter([record.name for record in RECORDS] + [request.name for request in REQUESTS])
    assert len(names) >= 200
    assert names.most_common(1)[0][1] == 1


def test_both_paths_get_more_than_100_and_every_fate_is_met() -> None:
    for path in ("batch", "streaming"):
        fates = [record.fates[path] for record in RECORDS if path in record.fates]
        fates += [request.fate for request in REQUESTS if request.path == path]
        assert len(fates) >= 100
        kinds = Counter(type(fate) for fate in fates)
        wanted = {Cleaned, Quarantined, Refused} | ({DeadLettered} if path == "batch" else set())
        assert all(kinds[kind] >= 10 for kind in wanted), kinds


def test_too_few_are_quarantined_for_a_run_to_fail_by_it() -> None:
    for path in ("batch", "streaming"):
        fates = [record.fates.get(path) for record in RECORDS] + [r.fate for r in REQUESTS if r.path == path]
        assert sum(isinstance(fate, Quarantined) for fate in fates) < 95


def test_no_two_share_an_ind_and_none_is_a_post_of_the_source() -> None:
    for path in ("batch", "streaming"):
        records = [(record.frame, record.fates[path]) for record in RECORDS if path in record.fates]
        requests = [(request.frame, request.fate) for request in REQUESTS if request.path == path]
        inds = [(frame, fate.ind) for frame, fate in records + requests if isinstance(fate, Cleaned)]
        assert len(inds) == len(set(inds))
        assert all(abs(ind) > 11_000 for _, ind in inds)
