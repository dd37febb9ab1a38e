"""Whatever words a step writes, each is found as it stands there, and no other."""

import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cvdops.executions import search
from cvdops.executions.models import Execution, OutputSegment, OutputWords, StepAttempt
from tests.examples import examples
from tests.executions.scene import Scene
from tests.executions.test_search import index, ran

__all__ = ["ran"]  # a fixture

LINES = 600  # beyond what any index counts places of
NUMBER = st.integers(0, 255)
NAME = st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True)
WORD = st.one_of(
    st.builds("{}.{}.{}.{}".format, *[NUMBER] * 4),
    st.builds("{}.{}.{}.{}:{}".format, *[NUMBER] * 5),
    st.builds("v{}.{}.{}".format, *[NUMBER] * 3),
    st.floats().map(str),
    st.floats(1e-9, 1e9).map("{:e}".format),
    st.lists(NAME, min_size=1, max_size=12).map(lambda parts: "/" + "/".join(parts)),
    st.builds("--{}={}".format, NAME, NUMBER),
    st.builds("-{}".format, NAME),
    st.builds("{}-{}.example.com".format, NAME, NUMBER),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.times().map(str),
    st.uuids().map(str),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=80),
)


def written(attempt: StepAttempt, text: str) -> None:
    """As if the step had written this, and all of it were in the index."""
    OutputSegment.objects.all().delete()
    OutputWords.objects.all().delete()
    data = text.encode()
    OutputSegment.objects.create(
        attempt_id=attempt.pk,
        offset=0,
        length=len(data),
        source_end=len(data),
        execution_id=attempt.step.execution_id,
        seq=1,
        data=zstandard.compress(data, 1),
    )
    StepAttempt.objects.update(searched=False, output_size=len(data))
    assert index() == 1


@settings(examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(WORD, min_size=1, max_size=8, unique=True), st.lists(WORD, max_size=4))
@example(["10.0.0.1", "10.0.1.7", "1.23457e+06", "v1.0.2999"], ["10.0.0.7", "1.0", "-v1.0.2999"])
def test_each_word_of_an_output_is_found_and_no_other(
    scene: Scene, ran: Execution, there: list[str], others: list[str]
) -> None:
    lines = [f"{n} {there[0]} ok {there[n % 7 % len(there)]}" for n in range(LINES)]
    text = "\n".join([*lines, *(f"at last {word} {word}\tfailed" for word in there)])
    written(StepAttempt.objects.get(), text)
    person = scene.person("developer")
    for word in there:
        assert search.found(person, word).exists(), word
    mutated = [f"{word}{sign}" for word in there for sign in "7-"]
    for word in [*mutated, *others]:
        if word.strip('"').casefold() not in text.casefold():
            assert not search.found(person, word).exists(), word
