"""Hydra's and OmegaConf's own answers to the cases that `roundtrip conformance` answers, in the same form.

An error is {"error": CLASS, "msg": FIRST_LINE} with our name for the class of the Python exception, so that answers
compare member by member. Exceptions that no caller of Hydra is meant to see (RecursionError, AssertionError) have the
class "crash": there is no answer to hold ours against.
"""

import copy
import os
from functools import cache
from pathlib import Path

import omegaconf
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra import version
from hydra._internal import config_loader_impl
from hydra._internal.utils import create_config_search_path
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    Key,
    Override,
    QuotedString,
    RangeSweep,
)
from hydra.types import RunMode
from omegaconf import OmegaConf
from omegaconf._utils import get_yaml_loader

version.setbase("1.3")

OUR_CLASS = {
    "HydraException": "parse",
    "OverrideParseException": "parse",
    "ScannerError": "parse",
    "ParserError": "parse",
    "ComposerError": "parse",
    "ConstructorError": "parse",
    "ReaderError": "parse",
    "ConfigCompositionException": "compose",
    "MissingConfigException": "missing",
    "InterpolationToMissingValueError": "missing",
    "MissingMandatoryValue": "missing",
    "InterpolationKeyError": "interpolation",
    "InterpolationResolutionError": "interpolation",
    "UnsupportedInterpolationType": "interpolation",
    "GrammarParseError": "interpolation",
    "ValidationError": "type",
    "ConfigTypeError": "type",
    "ConfigKeyError": "type",
    "ConfigAttributeError": "type",
}


def tagged(value):
    """The value with types that JSON would blur written out."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return {"$int": str(value)}
    if isinstance(value, float):
        return {"$float": repr(value)}
    if isinstance(value, QuotedString):
        return {"$q": value.text, "quote": value.quote.name}
    if isinstance(value, ChoiceSweep):
        return {
            "$choice": [tagged(item) for item in value.list],
            "simple": value.simple_form,
            "shuffle": value.shuffle,
            "tags": sorted(value.tags),
        }
    if isinstance(value, RangeSweep):
        numbers = [tagged(number) for number in (value.start, value.stop, value.step)]
        return {"$range": numbers, "shuffle": value.shuffle, "tags": sorted(value.tags)}
    if isinstance(value, IntervalSweep):
        return {"$interval": [tagged(value.start), tagged(value.end)], "tags": sorted(value.tags)}
    if isinstance(value, Glob):
        words = [[item.text if isinstance(item, QuotedString) else str(item) for item in part]
                 for part in (value.include, value.exclude)]  # fmt: skip
        return {"$glob": words[0], "exclude": words[1]}
    if isinstance(value, Key):
        return {"key": value.key_or_group, "package": value.package}
    if isinstance(value, (list, tuple)):
        return [tagged(item) for item in value]
    if isinstance(value, dict):
        return {"$dict": [[tagged(key), tagged(item)] for key, item in value.items()]}
    return value


def answer_override(override: Override):
    ok = {
        "type": override.type.name,
        "key": override.key_or_group,
        "package": override.package,
        "value_type": override.value_type.name if override.value_type is not None else None,
        "value": tagged(override._value),
    }
    if not override.is_sweep_override():
        ok["as_str"] = override.get_value_element_as_str()
    elif has_texts(override._value):
        try:
            ok["sweep"] = list(override.sweep_string_iterator())
        except Exception as error:  # noqa: BLE001 - its class is the answer
            ok["sweep_error"] = type(error).__name__
    return ok


def has_texts(sweep):
    """Whether a sweep has an order and an end of its own: a glob needs a config group, shuffle() is not repeatable."""
    return isinstance(sweep, (ChoiceSweep, RangeSweep)) and not sweep.shuffle


@cache
def override_parser():
    return OverridesParser.create()


def answer_parse(rule, text):
    if rule == "override":
        return answer_override(override_parser().parse_override(text))
    return tagged(override_parser().parse_rule(text, rule))


class FreshRepository(CachingConfigRepository):
    """Hydra merges lists of cached configs in place, so that a config which is included twice is another one the second
    time. That is nobody's semantics: here each inclusion gets a copy."""

    def load_config(self, config_path):
        loaded = super().load_config(config_path)
        return loaded if is_hydras(config_path) else copy.deepcopy(loaded)


config_loader_impl.CachingConfigRepository = FreshRepository


class Loader(ConfigLoaderImpl):
    """Hydra's loader, which keeps the defaults list of its last composition."""

    def _compose_config_from_defaults_list(self, defaults, repo):
        self.defaults = defaults
        return super()._compose_config_from_defaults_list(defaults, repo)


def is_hydras(name):
    return name == "hydra" or name.startswith("hydra/")


def answer_compose(folder, config_name, overrides):
    loader = Loader(create_config_search_path(str(folder)))
    config = loader.load_configuration(config_name, list(overrides), RunMode.RUN)
    rows = [
        [row.config_path, row.package, row.is_self, row.parent]
        for row in loader.defaults
        if not is_hydras(row.config_path)
    ]
    choices = {key: choice for key, choice in config.hydra.runtime.choices.items() if not is_hydras(key)}
    OmegaConf.set_struct(config, False)
    config.pop("hydra")
    return {"defaults": rows, "job": OmegaConf.to_yaml(config, resolve=False), "choices": choices}


def resolved(value):
    if isinstance(value, omegaconf.ValueNode):
        return value._value()
    if isinstance(value, (omegaconf.DictConfig, omegaconf.ListConfig)):
        return OmegaConf.to_container(value, resolve=True)
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if isinstance(value, dict):
        return {key: resolved(item) for key, item in value.items()}
    return value


def answer_interp_text(base, text):
    config = OmegaConf.create(base)
    config.K = text
    return tagged(resolved(config.K))


def answer_interp_element(base, text):
    tree = omegaconf.grammar_parser.parse(text, parser_rule="singleElement", lexer_mode="VALUE_MODE")
    config = OmegaConf.create(base)
    config.K = ""
    return tagged(resolved(config.resolve_parse_tree(tree, node=config._get_node("K"))))


def answer_yaml(text):
    import yaml

    document = yaml.load("k: " + text, Loader=get_yaml_loader())  # noqa: S506 - OmegaConf's safe loader
    return tagged(document["k"])


class Reference:
    def __init__(self, root):
        self.root = Path(root)
        self.base = {}

    def answer(self, case):
        kind, given = case["kind"], case["input"]
        answer = {"kind": kind, "input": given}
        if kind == "base":
            self.base = given
            return answer
        try:
            if kind == "parse":
                answer["ok"] = answer_parse(*given)
            elif kind == "compose":
                answer["ok"] = answer_compose(os.path.abspath(self.root / given[0]), given[1], given[2])
            elif kind == "interp_text":
                answer["ok"] = answer_interp_text(self.base, given)
            elif kind == "interp_element":
                answer["ok"] = answer_interp_element(self.base, given)
            elif kind == "yaml":
                answer["ok"] = answer_yaml(given)
            else:
                raise ValueError(f"unknown kind {kind}")
        except Exception as error:  # noqa: BLE001 - its class is the answer
            name = type(error).__name__
            answer["error"] = OUR_CLASS.get(name, "crash")
            answer["msg"] = f"{name}: {str(error).splitlines()[0] if str(error) else ''}"
        return answer
