"""rootcause.yaml: what it may say, and what is said of its mistakes."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.errors import UsageError
from bot.settings import Secret, live_settings, read_live
from bot.settings.live_schema import live_schema, page
from bot.settings.live_yaml import live_from

MANIFESTS = Path(__file__).parents[2] / "manifests"
PROMETHEUS = {"url": "http://prometheus:9090"}


def cluster(**parts):
    """Give a document of one cluster."""
    return {"clusters": [{"name": "east", **parts}]}


def mistakes(document):
    """Give what is said of a document, a sentence each."""
    with pytest.raises(UsageError) as caught:
        live_from(document)
    return str(caught.value).splitlines()


def test_the_example_is_read_and_fits_the_schema():
    """What people copy works, and names every key there is."""
    text = (MANIFESTS / "rootcause.yaml").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    jsonschema.Draft202012Validator(live_schema()).validate(document)
    assert live_from(document).names_a_source
    unnamed = {key for key in _keys(live_schema()) if f"{key}:" not in text}
    assert set() == unnamed


def _keys(part):
    for key, inside in part.get("properties", {}).items():
        if key not in {"env", "file"}:
            yield key
        for each in (inside, inside.get("items", {}), *inside.get("anyOf", [])):
            yield from _keys(each)
        if isinstance(inside.get("additionalProperties"), dict):
            yield from _keys(inside["additionalProperties"])


def test_the_schema_in_the_repository_is_the_present_one():
    """``python -m bot.settings.live_schema`` writes it anew."""
    assert page() == (MANIFESTS / "rootcause.schema.json").read_text(encoding="utf-8")
    jsonschema.Draft202012Validator.check_schema(json.loads(page()))


WRONG = {
    "clusters[0].prometheus.url is 'ftp://x'": cluster(prometheus={"url": "ftp://x"}),
    "clusters[0].prometheus.url is no such": cluster(prometheus={"url": "http://u:s3cret@x"}),
    "clusters[0].prometheus lacks the key 'url'": cluster(prometheus={}),
    "did you mean 'prometheus'?": cluster(promtheus=PROMETHEUS),
    "clusters[0].prometheus.token is a secret": cluster(prometheus={**PROMETHEUS, "token": "s3cret"}),
    "clusters[0].prometheus.headers.X-Key is a secret": cluster(prometheus={**PROMETHEUS, "headers": {"X-Key": "k"}}),
    "clusters[0].prometheus.step_s is 0": cluster(prometheus={**PROMETHEUS, "step_s": 0}),
    "clusters[0].prometheus.most_series is True": cluster(prometheus={**PROMETHEUS, "most_series": True}),
    "clusters[0].logs.kind is 'splunk'": cluster(logs={"kind": "splunk", "url": "http://x"}),
    "clusters[0].kubernetes.namespaces must be a list": cluster(kubernetes={"namespaces": "web"}),
    "clusters[0].name is 'a b'": {"clusters": [{"name": "a b"}]},
    "the file must be a mapping": ["clusters"],
    "alertmanager lacks the key 'secret'": {"alertmanager": {"channel": "C1"}},
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG)
def test_a_mistake_is_a_sentence_with_its_place(words):
    """What is wrong where; the schema refuses it as well; the secret itself is not repeated."""
    said = mistakes(WRONG[words])
    assert words in said[0]
    assert said[0].startswith("rootcause.yaml: ")
    assert "s3cret" not in said[0]
    assert not jsonschema.Draft202012Validator(live_schema()).is_valid(WRONG[words])


TOGETHER = {
    "stands there twice": {"clusters": [{"name": "a"}, {"name": "a"}]},
    "in_cluster": cluster(kubernetes={"in_cluster": True, "context": "x"}),
    "index is needed": cluster(logs={"kind": "elasticsearch", "url": "http://x"}),
    "give both or none": cluster(prometheus={**PROMETHEUS, "user": "u"}),
    "which is no cluster here": {"channels": {"C1": {"clusters": ["west"]}}},
    "jira needs user and token": {"jira": {"url": "https://x.atlassian.net", "deployment": "cloud"}},
}


@pytest.mark.parametrize("words", TOGETHER)
def test_what_contradicts_itself_is_said(words):
    """Each key fits for itself, and they do not go together."""
    assert words in mistakes(TOGETHER[words])[0]


def test_all_mistakes_are_told_at_once():
    """Nobody mends a file one run at a time."""
    assert len(mistakes({"clusters": [{"name": "a b", "prometheus": {"url": 3}}], "x": 1})) == 3


def test_a_secret_is_read_when_it_is_needed(monkeypatch, tmp_path):
    """From a variable or a file; without one the sentence says which."""
    (tmp_path / "token").write_text("abc\n")
    monkeypatch.setenv("PROM_TOKEN", "xyz")
    assert Secret(file=tmp_path / "token").read() == "abc"
    assert Secret(env="PROM_TOKEN").read() == "xyz"
    monkeypatch.delenv("PROM_TOKEN")
    with pytest.raises(UsageError, match="PROM_TOKEN"):
        Secret(env="PROM_TOKEN").read()
    with pytest.raises(UsageError, match="gone"):
        Secret(file=tmp_path / "gone").read()


def test_the_file_is_looked_for_where_it_is_named_then_here_then_at_home(monkeypatch, tmp_path):
    """The nearest wins; a named one must be there."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("ROOTCAUSE_CONFIG", raising=False)
    assert not live_settings(home).names_a_source
    (home / "rootcause.yaml").write_text(yaml.safe_dump(cluster(prometheus=PROMETHEUS)))
    assert [each.name for each in live_settings(home).clusters] == ["east"]
    (here / "rootcause.yaml").write_text("clusters: [{name: here}]")
    assert [each.name for each in live_settings(home).clusters] == ["here"]
    monkeypatch.setenv("ROOTCAUSE_CONFIG", str(tmp_path / "named.yaml"))
    with pytest.raises(UsageError, match=r"named\.yaml"):
        live_settings(home)


@pytest.mark.parametrize("text", ["a: [", "\x00", "{a: b}}", "- " * 3000, "a: &a [*a, *b]"])
def test_what_is_no_yaml_is_said_to_be_none(text, tmp_path):
    """A sentence, whatever the file holds."""
    (tmp_path / "rootcause.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"rootcause\.yaml"):
        read_live(tmp_path / "rootcause.yaml")
