# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shows that each name of an interface is needed: without it, what uses it does not compile."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEADERS = [ROOT / "engine/qemu/modern/include", ROOT / "engine/qemu/include"]
# What the compiler says of a name that is not declared, in the file that uses it.
MISSED = (r"^{}[\w.]*:\d+:\d+: error: (?:implicit declaration of function|unknown type name|no previous prototype for|"
          r".*has no member named)? ?'(\w+)'(?: undeclared)?")
# Without these the compiler does not understand what surrounds them.
ALONE = {"coroutine_fn", "coroutine_mixed_fn", "no_coroutine_fn", "GRAPH_RDLOCK", "GRAPH_WRLOCK", "GRAPH_UNLOCKED"}


def words(path):
    return [word for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")
            for word in line.split()]


def copy_headers(folder, names):
    pattern = re.compile(rf"\b({'|'.join(names)})\b")
    for headers in HEADERS:
        for path in headers.rglob("*.h"):
            target = folder / path.relative_to(headers)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(line if line.startswith("#include") else pattern.sub(r"dropped_\1", line)
                                      for line in path.read_text(encoding="utf-8").splitlines(True)), encoding="utf-8")


class User:
    """Files that use an interface."""

    def __init__(self, *sources, options=()):
        self.sources = sources
        self.options = options

    def without(self, names):
        """Those of the names that the compiler misses when the headers have none of them, and all that it says."""
        with tempfile.TemporaryDirectory() as work:
            copy_headers(Path(work), names)
            command = ["gcc", "-std=gnu11", "-fsyntax-only", "-fmax-errors=0", "-Werror=implicit-function-declaration",
                       "-Werror=missing-prototypes", *self.options, "-I", work, *self.sources]
            said = subprocess.run(command, capture_output=True, text=True, check=False,
                                  env={**os.environ, "LC_ALL": "C"}).stderr
        missed = MISSED.format(f"(?:{'|'.join(re.escape(str(source.with_suffix(''))) for source in self.sources)})")
        return set(re.findall(missed, said, re.M)) & set(names), said

    def not_needed(self, names):
        """Names without which the files compile, or the compiler does not name what is missing."""
        left, before = set(names) - ALONE, None
        while left != before:
            before = left
            left = left - self.without(sorted(left))[0] if left else left
        # What hides others when it is missing, or is hidden by them.
        return [name for name in sorted(left | (ALONE & set(names))) if not self.is_needed(name)]

    def is_needed(self, name):
        missed, said = self.without([name])
        return bool(missed) or re.search(rf"error: (?:.*\n)?.*\b{name}\b", said) is not None
