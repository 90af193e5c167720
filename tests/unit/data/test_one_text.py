"""A value is the same group value in CSV, JSON Lines, Parquet, the manifest and the policy."""

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from pytest_fairness import judge, load_policy
from pytest_fairness.data.levels import as_level

NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(float), st.floats(-1e6, 1e6, allow_nan=False), st.booleans()
)


@given(NUMBERS)
def test_a_value_that_pandas_wrote_reads_as_it_was(value):
    assert as_level(str(value)) == as_level(value)


@pytest.mark.parametrize(
    "text", ["01", "1.10", "1.00", "1.", ".0", "+1.0", "1.0.0", "v1.0", " 1.0"]
)
def test_a_text_that_is_no_plain_number_stays_what_it_is(text):
    assert as_level(text) == text


@pytest.mark.parametrize("declared", [[1, 2], [1.0, 2.0], ["1", "2"], ["1.0", "2.0"]], ids=str)
@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "frame"])
@pytest.mark.parametrize("given_as", ["integers", "floats", "texts"])
def test_every_file_and_every_policy_means_the_same_group(tmp_path, declared, kind, given_as):
    values = {"integers": [1, 2], "floats": [1.0, 2.0], "texts": ["1.0", "2"]}[given_as]
    frame = pd.DataFrame(
        {"type": values * 20, "target": [1, 0] * 20, "prediction": [1.0, 0.0] * 20}
    )
    source = tmp_path / f"answers.{kind}"
    if kind == "csv":
        frame.to_csv(source, index=False)
    elif kind == "parquet":
        frame.to_parquet(source)
    elif kind == "jsonl":
        frame.to_json(source, orient="records", lines=True)
    policy = load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {
                "faces": {"attributes": {"type": declared}, "where": {"type": declared}}
            },
            "rule": [{"metric": "accuracy", "min": 0.5}],
        }
    )
    verdicts = judge(policy, frame if kind == "frame" else source).verdicts
    assert [(v.group, v.n, v.value) for v in verdicts] == [
        ({"type": "1"}, 20, 1.0),
        ({"type": "2"}, 20, 1.0),
    ]
