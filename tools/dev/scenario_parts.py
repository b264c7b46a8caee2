# SPDX-License-Identifier: LGPL-2.1-or-later
"""The parts of a scenario that could be left out, and the scenario without each; for tools/dev/worth.

A part is a hold, a fault, a react rule, a guest request, another step, or an expectation. What names a part
goes with it: without a hold there is nothing to wait for and nothing to release."""

import copy
from collections import namedtuple

import yaml

# kind: "step", "fault", ...; what: as the file has it; line: where it begins; text: the scenario without it.
Part = namedtuple("Part", "kind what line text")
# Of these every key is a part of its own; of those every item.
MAPPINGS = {"faults": "fault", "guest": "guest request"}
LISTS = {"react": "react rule", "steps": "step", "expect": "expectation"}
NAMERS = ("name", "tag")  # keys that give a step a name
SHOWN = 60


def scalars_of(data):
    """Every string in it, also the keys."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from scalars_of(value)
    elif isinstance(data, list):
        for item in data:
            yield from scalars_of(item)
    else:
        yield data


def names_of(step):
    """What other parts may call this step: the name of a hold, the tag of a request."""
    values = step.values() if isinstance(step, dict) else ()
    maps = [step, *(value for value in values if isinstance(value, dict))] if values else []
    return {data[key] for data in maps for key in NAMERS if isinstance(data.get(key), str)}


def without_mentions(item, names):
    """The item without what mentions one of the names; None if nothing of use is left."""
    if not names & set(scalars_of(item)):
        return item
    # Of a mapping like `fired: {a: 1, b: 2}` only the one entry goes.
    if isinstance(item, dict) and len(item) == 1:
        (key, value), = item.items()
        if isinstance(value, dict) and key not in names:
            rest = {name: entry for name, entry in value.items() if name not in names}
            if rest and len(rest) < len(value) and not names & set(scalars_of(rest)):
                return {key: rest}
    return None


def drop_mentions(scenario, names):
    for section in LISTS:
        if isinstance(scenario.get(section), list):
            kept = [without_mentions(item, names) for item in scenario[section]]
            scenario[section] = [item for item in kept if item is not None]
    for section in MAPPINGS:
        if isinstance(scenario.get(section), dict):
            scenario[section] = {name: entry for name, entry in scenario[section].items()
                                 if not names & set(scalars_of(entry))}


class Writer(yaml.SafeDumper):  # pylint: disable=too-many-ancestors
    """Writes strings as they were read: quoted where they look like a boolean or null, but not where they look
    like a number or a date."""

    yaml_implicit_resolvers = {first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":bool", ":null"))]
                               for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()}

    def ignore_aliases(self, data):
        return True


def text_of(scenario):
    sections = {key: value for key, value in scenario.items() if value not in ({}, [])}
    return yaml.dump(sections, Dumper=Writer, sort_keys=False, allow_unicode=True, width=1000)


def text_of_file(text):
    """The scenario as it is, written the same way as without a part."""
    return text_of(yaml.load(text, Loader=yaml.BaseLoader))


def shown(item):
    text = yaml.dump(item, Dumper=Writer, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1000).strip()
    text = text.removesuffix("...").strip()
    return text if len(text) <= SHOWN else f"{text[:SHOWN - 3]}..."


def lines_of(text):
    """{(section, key or index): line}"""
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    lines = {}
    for key, value in root.value:
        if isinstance(value, yaml.MappingNode):
            lines.update({(key.value, name.value): name.start_mark.line + 1 for name, _ in value.value})
        elif isinstance(value, yaml.SequenceNode):
            lines.update({(key.value, index): item.start_mark.line + 1 for index, item in enumerate(value.value)})
    return lines


def kind_of_step(step):
    first = step if isinstance(step, str) else next(iter(step), "")
    return {"hold": "hold", "guest": "guest request"}.get(first, "step")


def parts_of(text):
    """All parts of the scenario with this text."""
    scenario = yaml.load(text, Loader=yaml.BaseLoader)
    lines = lines_of(text)
    for section, kind in MAPPINGS.items():
        for name in scenario.get(section) or {}:
            rest = copy.deepcopy(scenario)
            del rest[section][name]
            drop_mentions(rest, {name})
            yield Part(kind, name, lines[section, name], text_of(rest))
    for section, kind in LISTS.items():
        items = scenario.get(section) or []
        for index, item in enumerate(items if isinstance(items, list) else []):
            rest = copy.deepcopy(scenario)
            del rest[section][index]
            if section == "steps":
                drop_mentions(rest, names_of(item))
            yield Part(kind_of_step(item) if section == "steps" else kind, shown(item), lines[section, index], text_of(rest))
