# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads from the engine's source the rule that a line follows, and whether the line only asserts. The
failing path of assert() is not counted, because no passing run can take it."""

import re

RULE = re.compile(r"\b(?:[SRLIECAT][1-9]\d?|D[1-9]\d?|section [1-9]\d?)\b")
RULE_RANGE = re.compile(r"\b([SRLIECATD])([1-9]\d?)(?: to |-)(\1[1-9]\d?)\b")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'')


def blank(text, pattern):
    """The text with all matches blanked out; lines keep their numbers."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def rules_in(comment):
    """The rule names in a comment, in order; a range stays one name."""
    ranges = [f"{letter}{first}-{last}" for letter, first, last in RULE_RANGE.findall(comment)]
    return list(dict.fromkeys(ranges + RULE.findall(RULE_RANGE.sub("", comment))))


class Source:
    """One file of engine/."""

    def __init__(self, text):
        self.lines = text.splitlines()
        self.comments = [(self._line_of(text, found.start()), self._line_of(text, found.end()), found.group())
                         for found in COMMENT.finditer(text)]
        code = blank(blank(text, COMMENT), STRING)
        self.asserts = set()
        self.never = set()
        for found in re.finditer(r"\bassert\s*\(", code):
            first, last = self._line_of(text, found.start()), self._line_of(text, self._closing(code, found.end()))
            self.asserts.update(range(first, last + 1))
            if code[found.end():].startswith("false)"):
                self.never.add(first)
                if re.match(r"(case \w+|default):$", self.text(first - 1)):
                    self.never.add(first - 1)

    @staticmethod
    def _line_of(text, position):
        return text.count("\n", 0, position) + 1

    @staticmethod
    def _closing(code, position):
        depth = 1
        while depth > 0:
            depth += {"(": 1, ")": -1}.get(code[position], 0)
            position += 1
        return position - 1

    def text(self, line):
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""

    def rules(self, line, function_start):
        """The rules of the nearest comment that cites any, from the line up to the comment above its
        function."""
        for first, last, comment in reversed(self.comments):
            if first > line:
                continue
            if last < function_start - 1:
                break
            if rules_in(comment):
                return rules_in(comment)
        return self._section_rules(line)

    def _section_rules(self, line):
        """The rules of the section's heading comment, or of the file's head comment."""
        for first, _last, comment in reversed(self.comments):
            if first <= line and (comment.startswith("/* ----") or first <= 2):
                named = rules_in(comment) or re.findall(r"mirror-algorithm ([A-Z])\b", comment)
                if named:
                    return named
        return []
