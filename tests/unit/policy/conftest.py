"""An organisation's policy, and a way to write those of its teams beside it."""

from pathlib import Path

import pytest

ORG = """\
schema = 1

[decision]
inconclusive = "fail"
level = 0.95

[evaluation.faces]
manifest = "faces.csv"
positive = "yes"
attributes = { sex = ["female", "male"], tone = ["light", "dark"] }
reference = { sex = "male" }
where = { split = ["test", "holdout"] }

[[rule]]
id = "floor"
metric = "accuracy"
by = ["sex", "tone"]
min = 0.7
min_samples = 20

[[rule]]
id = "gap"
metric = "false_positive_rate_difference"
by = ["sex"]
max = 0.1

[[rule]]
id = "impact"
preset = "four-fifths"

[[required]]
group = { tone = "dark" }
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("org.toml").write_text(ORG, encoding="utf-8")

    def write_policy(text: str, name: str = "team.toml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_policy
