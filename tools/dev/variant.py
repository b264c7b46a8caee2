# SPDX-License-Identifier: LGPL-2.1-or-later
"""A variant of mirrorsim: the program with some of its sources replaced.

Used by tools/dev/bugs and tools/dev/mutants. A variant is compiled beside a finished build: only the
sources that differ (including all that use a changed header) are compiled again, with the same commands
as in that build, and linked with the other objects. Nothing is written into the checkout or the build."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLD = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []


def engine_files(pattern):
    """The files of our own engine, of all generations, that match the pattern: paths in the checkout,
    like engine/2.2/mirror.c."""
    found = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "engine").rglob(pattern))
    return [path for path in found if not path.startswith("engine/qemu/")]


class BuildFailed(Exception):
    """The changed source does not compile; the text is the compiler's output."""


class Build:
    """A build directory of this checkout that has compile_commands.json and the program."""

    def __init__(self, directory):
        self.directory = Path(directory).resolve()
        commands = json.loads((self.directory / "compile_commands.json").read_text(encoding="utf-8"))
        self.commands = {}
        self.paths = {}
        for entry in commands:
            path = Path(entry["file"])
            # What the build has made itself (page.c) counts as one of the tools, which it is for.
            is_made = path.is_relative_to(self.directory)
            source = f"tools/made/{path.name}" if is_made else path.relative_to(ROOT).as_posix()
            # Only the libraries: tests also build programs with a foreign engine, and the program has
            # some sources once more.
            foreign = source.startswith("engine/qemu/") or "-DMIRRORSIM_QEMU" in entry["command"]
            command = shlex.split(entry["command"])
            is_tests = command[command.index("-o") + 1].startswith("tests/")
            is_whole = "-flto" in command
            if source.split("/")[0] in ("engine", "sim", "tools") and not (foreign or is_tests or is_whole):
                self.commands[source] = command
                self.paths[source] = path
        self.libraries = self._libraries()
        self.headers = None
        self.prelinked = None
        self.lock = threading.Lock()

    def _libraries(self):
        optional = ["libdw"] if "-DMIRRORSIM_LIBDW" in self.commands["tools/base/stack.c"] else []
        out = subprocess.run(["pkg-config", "--libs", "yaml-0.1", "jansson", "zlib", *optional], check=True,
                             capture_output=True, text=True)
        return shlex.split(out.stdout) + ["-lm"]

    def object_of(self, source):
        command = self.commands[source]
        return self.directory / command[command.index("-o") + 1]

    def _read_dependencies(self):
        """{source: the headers that it includes}, as ninja knows them; None if ninja does not."""
        done = subprocess.run(["ninja", "-C", str(self.directory), "-t", "deps"], capture_output=True, text=True)
        objects = {str(self.object_of(source).relative_to(self.directory)): source for source in self.commands}
        headers = {}
        source = None
        for line in done.stdout.splitlines():
            if not line.startswith(" "):
                source = objects.get(line.split(":")[0])
            elif source and line.strip().startswith(str(ROOT)):
                headers.setdefault(source, set()).add(Path(line.strip()).relative_to(ROOT).as_posix())
        return headers if done.returncode == 0 else None

    def _sources_to_compile(self, changed):
        reached = {path for path in changed if path in self.commands}
        changed_headers = {path for path in changed if path.endswith(".h")}
        if changed_headers:
            if self.headers is None:
                self.headers = self._read_dependencies() or {}
            reached |= {source for source in self.commands
                        if changed_headers & self.headers.get(source, changed_headers)}
        return sorted(reached)

    def _compile(self, source, tree, output, flags):
        command = list(self.commands[source])
        command[command.index("-o") + 1] = str(output)
        command[command.index("-c") + 1] = str(tree / source if (tree / source).exists() else self.paths[source])
        # Changed headers take precedence over those of the checkout.
        command[1:1] = [f"-I{tree}"]
        command += flags
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise BuildFailed(done.stderr)

    def compile(self, changed, work, flags=()):
        """Compiles everything that `changed` ({path in the checkout: its new text}) affects, in the empty
        directory `work`; returns {source: object}. `flags` are added to every compilation."""
        tree = Path(work) / "tree"
        for path, text in changed.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text, encoding="utf-8")
        compiled = {}
        for source in self._sources_to_compile(changed):
            output = Path(work) / (source.replace("/", "_") + ".o")
            self._compile(source, tree, output, list(flags))
            compiled[source] = output
        return compiled

    def _the_rest(self):
        """The sources outside of engine/: few variants change them."""
        return [source for source in sorted(self.commands) if not source.startswith("engine/")]

    def _link_the_rest(self):
        """One object of all of them, without debug information: reading hundreds takes longer than linking."""
        with self.lock:
            if self.prelinked is None:
                directory = tempfile.TemporaryDirectory()
                objects = [str(self.object_of(source)) for source in self._the_rest()]
                subprocess.run(["ld", "-r", "-S", "-o", f"{directory.name}/rest.o", *objects], check=True)
                self.prelinked = directory  # removed with this build
        return Path(self.prelinked.name) / "rest.o"

    def link(self, compiled, work):
        """Links the program in `work` from {source: object} and the build's other objects."""
        program = Path(work) / "mirrorsim"
        objects = [str(compiled.get(source, self.object_of(source))) for source in sorted(self.commands)
                   if source.startswith("engine/")]
        if all(source.startswith("engine/") for source in compiled):
            objects.append(str(self._link_the_rest()))
        else:
            objects += [str(compiled.get(source, self.object_of(source))) for source in self._the_rest()]
        # Without symbols, which nobody looks at, linking takes half the time; gold takes two thirds of what ld takes.
        done = subprocess.run(["cc", "-s", *GOLD, "-o", str(program), *objects, *self.libraries],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise BuildFailed(done.stderr)
        return program

    def link_test(self, name, compiled, work):
        """Links the build's test program `name` in `work`, with these objects in the place of its own, or of those
        of the engine's library."""
        done = subprocess.run(["ninja", "-C", str(self.directory), "-t", "commands", name], capture_output=True, text=True)
        command = shlex.split(done.stdout.strip().splitlines()[-1].removeprefix(": && ").removesuffix(" && :")
                              if done.returncode == 0 else "false")
        if "-o" not in command or "libengine.a" not in command:
            raise BuildFailed(f"no command links {name}: {done.stderr}")
        program = Path(work) / name
        command[command.index("-o") + 1] = str(program)
        own = {str(self.object_of(source)): str(path) for source, path in compiled.items()}
        command = [own.pop(os.path.normpath(self.directory / word), word) for word in command]
        first = command.index("libengine.a")
        command[first:first] = own.values()
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise BuildFailed(done.stderr)
        return program

    def variant(self, changed, work, flags=()):
        """Compiles and links; returns the program. If flags affect other objects, `changed` must name
        their sources, too."""
        return self.link(self.compile(changed, work, flags), work)
