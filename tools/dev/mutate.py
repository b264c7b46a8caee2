# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mutants of a C source: one small change each, found on clang's syntax tree.

Used by tools/dev/mutants. Operators: negate (a condition), compare (< <=, > >=, == !=), off-by-one (a
number, or an amount that is stored, passed or returned), drop (a statement), constant (another value of
the same enum, another errno, true and false), logic (&& ||), arithmetic (+ -, * /, & | ...). Amounts have
sized or unsigned types; an `int` is 0 or a negative errno here, not an amount.

The expansion of a macro is never changed, except for a constant that is a whole macro. Nothing inside
assert() is changed, and no string or sizeof. Equivalent changes are made once: `a < 8` becomes `a <= 8`,
so it does not become `a < 9`, too."""

import re
from collections import Counter
from dataclasses import dataclass

from clang.cindex import Index, CursorKind, TranslationUnit, TypeKind

COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
LOGIC = {"&&": "||", "||": "&&"}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|", "|": "&", "^": "|",
              "<<": ">>", ">>": "<<"}
COMPOUND = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "%=": "/=", "&=": "|=", "|=": "&=",
            "<<=": ">>=", ">>=": "<<="}
STEP = {"++": "--", "--": "++"}
BITS = ("&", "|", "^", "<<", ">>")
# Around these, the operands of a changed operator need parentheses.
LOOSE = (*LOGIC, "&", "|", "^")
# The operators that make a changed constant on the right of a comparison redundant.
REPEATS = {"<": "+ 1", ">=": "+ 1", "<=": "- 1", ">": "- 1"}
AMOUNTS = {TypeKind.CHAR_U, TypeKind.UCHAR, TypeKind.USHORT, TypeKind.UINT, TypeKind.ULONG, TypeKind.ULONGLONG,
            TypeKind.CHAR_S, TypeKind.SCHAR, TypeKind.SHORT, TypeKind.LONG, TypeKind.LONGLONG}
INTEGERS = AMOUNTS | {TypeKind.INT}
STATEMENTS = {CursorKind.CALL_EXPR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR, CursorKind.RETURN_STMT,
              CursorKind.BREAK_STMT, CursorKind.CONTINUE_STMT}


@dataclass(frozen=True)
class Mutant:
    """A change of one place. `identity` names it independently of changes around it."""
    file: str
    line: int
    function: str
    operator: str
    start: int  # byte offsets in the file
    end: int
    old: str
    new: str
    occurrence: int

    @property
    def change(self):
        return f"{one_line(self.old)} -> {one_line(self.new) or '(nothing)'}"

    @property
    def identity(self):
        number = f" [{self.occurrence}]" if self.occurrence > 1 else ""
        return f"{self.file}: {self.function}: {self.operator}: {self.change}{number}"

    def apply(self, text):
        source = text.encode()
        return (source[:self.start] + self.new.encode() + source[self.end:]).decode()


def one_line(text):
    return re.sub(r"\s+", " ", text)


class Source:
    """The mutants of one file, in the order of its syntax tree."""

    def __init__(self, root, file):
        self.file = file
        self.bytes = (root / file).read_bytes()
        unit = Index.create().parse(str(root / file), args=[f"-I{root}", "-D_GNU_SOURCE", "-std=c11"],
                                    options=TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
        errors = [str(problem) for problem in unit.diagnostics if problem.severity >= 3]
        if errors:
            raise ValueError("\n".join(errors))
        top = [node for node in unit.cursor.get_children()
               if node.location.file and node.location.file.name == str(root / file)]
        self.macros = [(node.extent.start.offset, node.extent.end.offset, node.spelling)
                       for node in top if node.kind == CursorKind.MACRO_INSTANTIATION]
        self.found = {}
        self.function = None
        self.repeated = None
        self.last_statement = None
        for node in top:
            self._declaration(node)

    def mutants(self):
        counts = Counter()
        for (start, end, new), (function, operator) in sorted(self.found.items()):
            old = self.bytes[start:end].decode()
            key = (function, operator, one_line(old), one_line(new))
            counts[key] += 1
            yield Mutant(self.file, self.bytes.count(b"\n", 0, start) + 1, function, operator, start, end,
                         old, new, counts[key])

    # ---- Helpers ----

    def _text(self, node):
        return self.bytes[node.extent.start.offset:node.extent.end.offset].decode()

    def _add(self, operator, start, end, new):
        if self.bytes[start:end].decode() != new:
            self.found.setdefault((start, end, new), (self.function, operator))

    def _replace(self, operator, node, new):
        self._add(operator, node.extent.start.offset, node.extent.end.offset, new)

    def _macro(self, node):
        """The macro that the node comes from: its name, and whether the node is the whole expansion."""
        start, end = node.extent.start.offset, node.extent.end.offset
        for first, last, name in self.macros:
            if first <= start and end <= last:
                return name, (first, last) == (start, end)
        return None, False

    # ---- The tree ----

    def _declaration(self, node):
        self.function = node.spelling
        children = list(node.get_children())
        if node.kind == CursorKind.FUNCTION_DECL and node.is_definition():
            body = list(children[-1].get_children())
            self.last_statement = body[-1].extent.start.offset if body else None
            self._statement(children[-1])
        elif node.kind == CursorKind.VAR_DECL:
            self._variable(node)

    def _variable(self, node):
        children = list(node.get_children())
        has_initialiser = children and children[-1].kind.is_expression() and \
            b"=" in self.bytes[node.location.offset:children[-1].extent.start.offset]
        if has_initialiser:
            self._value(children[-1])

    def _statement(self, node):
        kind = node.kind
        children = list(node.get_children())
        if kind == CursorKind.COMPOUND_STMT:
            for child in children:
                self._drop(child)
                self._statement(child)
        elif kind in (CursorKind.CASE_STMT, CursorKind.DEFAULT_STMT):
            self._drop(children[-1])
            self._statement(children[-1])
        elif kind in (CursorKind.IF_STMT, CursorKind.WHILE_STMT, CursorKind.SWITCH_STMT):
            if kind == CursorKind.SWITCH_STMT:
                self._expression(children[0])
            else:
                self._condition(children[0])
            for child in children[1:]:
                self._statement(child)
        elif kind == CursorKind.FOR_STMT:
            self._loop(children)
        elif kind == CursorKind.DECL_STMT:
            for child in children:
                self._variable(child)
        elif kind == CursorKind.RETURN_STMT:
            for child in children:
                self._value(child)
        elif kind.is_expression():
            self._expression(node)

    def _loop(self, children):
        """In a `for`, missing parts have no node; the condition is the part that is a comparison or a
        truth value."""
        for child in children[:-1]:
            text = self._text(child)
            if child.kind == CursorKind.DECL_STMT or re.search(r"(\+\+|--|[^=!<>]=)(?!=)", text):
                self._statement(child)
            else:
                self._condition(child)
        self._statement(children[-1])

    def _drop(self, node):
        is_assignment = node.kind == CursorKind.BINARY_OPERATOR and self._operator(node)[0] == "="
        is_step = node.kind == CursorKind.UNARY_OPERATOR
        is_end = node.kind == CursorKind.RETURN_STMT and node.extent.start.offset == self.last_statement
        if (node.kind in STATEMENTS or is_assignment or is_step) and not is_end and not self._macro(node)[0]:
            self._replace("drop", node, "")

    def _condition(self, node):
        if self._macro(node)[0] is None:
            text = self._text(node)
            if self._is_not(node):
                self._replace("negate", node, text[1:])
            elif self._operator(node)[0] not in ("==", "!="):  # the operator compare covers it
                self._replace("negate", node, f"!({text})")
        self._expression(node)

    def _is_not(self, node):
        return node.kind == CursorKind.UNARY_OPERATOR and self._text(node).startswith("!")

    def _value(self, node):
        """An expression that is stored, passed or returned."""
        name, _ = self._macro(node)
        if name is None:
            kind = node.type.get_canonical().kind
            bare = self._strip(node)
            if self._is_truth(bare):
                self._condition(bare)
                return
            if kind in AMOUNTS and not self._is_constant(bare):
                self._off_by_one(bare)
        self._expression(node)

    def _strip(self, node):
        """The node without implicit conversions, which have the same place."""
        children = list(node.get_children())
        while node.kind == CursorKind.UNEXPOSED_EXPR and len(children) == 1 and \
                children[0].extent == node.extent:
            node = children[0]
            children = list(node.get_children())
        return node

    def _is_truth(self, node):
        if node.type.get_canonical().kind == TypeKind.BOOL:
            return True
        return self._is_not(node) or self._operator(node)[0] in (*COMPARE, *LOGIC)

    def _is_constant(self, node):
        """True for what is changed in its own place (a constant, a choice, a sum with a constant) or is
        not a number."""
        children = list(node.get_children())
        operator = self._operator(node)[0]
        if operator in BITS or node.kind == CursorKind.CONDITIONAL_OPERATOR:
            return True
        if operator in ("+", "-"):
            return self._is_constant(self._strip(children[1]))
        if node.kind == CursorKind.DECL_REF_EXPR and node.referenced is not None:
            return node.referenced.kind == CursorKind.ENUM_CONSTANT_DECL
        return node.kind in (CursorKind.INTEGER_LITERAL, CursorKind.CHARACTER_LITERAL,
                             CursorKind.CXX_UNARY_EXPR, CursorKind.INIT_LIST_EXPR)

    def _expression(self, node):
        name, whole = self._macro(node)
        if name is not None:
            if whole and name != "assert":
                self._macro_constant(node, name)
            return
        kind = node.kind
        children = list(node.get_children())
        if kind == CursorKind.INTEGER_LITERAL:
            self._literal(node)
        elif kind == CursorKind.DECL_REF_EXPR:
            self._enumerator(node)
        elif kind in (CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR):
            self._binary(node, children)
        elif kind == CursorKind.UNARY_OPERATOR:
            self._unary(node, children[0])
        elif kind == CursorKind.CONDITIONAL_OPERATOR:
            self._condition(children[0])
            self._value(children[1])
            self._value(children[2])
        elif kind == CursorKind.CALL_EXPR:
            for child in children[1:]:
                self._value(child)
        elif kind == CursorKind.INIT_LIST_EXPR:
            for child in children:
                self._initialiser(child)
        elif kind == CursorKind.ARRAY_SUBSCRIPT_EXPR:
            self._expression(children[0])
            self._value(children[1])
        elif kind not in (CursorKind.CXX_UNARY_EXPR, CursorKind.STRING_LITERAL):
            for child in children:
                self._expression(child)

    def _initialiser(self, node):
        """A member of an initialiser list; of a designated one only its value."""
        children = list(node.get_children())
        if self._text(node)[:1] in (".", "[") and children:
            node = children[-1]
        self._value(node)

    # ---- Operators ----

    def _operator(self, node):
        """The operator between the operands of a binary node, and its place."""
        children = list(node.get_children())
        if node.kind not in (CursorKind.BINARY_OPERATOR, CursorKind.COMPOUND_ASSIGNMENT_OPERATOR) or \
                len(children) != 2:
            return None, 0
        start, end = children[0].extent.end.offset, children[1].extent.start.offset
        between = re.sub(rb"/\*.*?\*/", lambda found: b" " * len(found.group()), self.bytes[start:end], flags=re.S)
        found = re.search(rb"[-+*/%&|^<>=!]+", between)
        return (found.group().decode(), start + found.start()) if found else (None, 0)

    def _binary(self, node, children):
        operator, _ = self._operator(node)
        for name, table in (("compare", COMPARE), ("logic", LOGIC), ("arithmetic", ARITHMETIC),
                            ("arithmetic", COMPOUND)):
            if operator in table:
                self._swap(name, node, table[operator])
        if operator in LOGIC:
            for child in children:
                self._condition(child)
        elif operator == "=" or operator in COMPOUND:
            self._expression(children[0])
            self._value(children[1])
        else:
            is_number = self._macro(children[1])[1] or self._strip(children[1]).kind == CursorKind.INTEGER_LITERAL
            self.repeated = REPEATS.get(operator) if is_number else None
            self._expression(children[1])
            self.repeated = None
            self._expression(children[0])

    def _swap(self, name, node, new):
        operator, at = self._operator(node)
        start, end = node.extent.start.offset, node.extent.end.offset
        if operator not in LOOSE:
            self._replace(name, node, self.bytes[start:at].decode() + new + self.bytes[at + len(operator):end].decode())
            return
        left, right = (f"({self._text(child)})" if self._operator(self._strip(child))[0] in LOOSE else self._text(child)
                       for child in node.get_children())
        self._replace(name, node, f"({left} {new} {right})")

    def _unary(self, node, operand):
        text = self._text(node)
        for step, new in STEP.items():
            if text.startswith(step) or text.endswith(step):
                self._replace("arithmetic", node, text.replace(step, new))
        if text.startswith(("~", "-")) and not text.startswith("--"):
            self._replace("arithmetic", node, self._text(operand))
        self._expression(operand)

    # ---- Constants ----

    def _off_by_one(self, node, is_zero=False):
        text = self._text(node)
        for step in ("+ 1", "- 1"):
            if step != self.repeated and not (is_zero and step == "- 1"):
                self._replace("off-by-one", node, f"({text} {step})")

    def _literal(self, node):
        self._off_by_one(node, int(re.sub(r"[uUlL]+$", "", self._text(node)), 0) == 0)

    def _macro_constant(self, node, name):
        is_object = self._text(node) == name
        if name in ("true", "false"):
            self._replace("constant", node, "false" if name == "true" else "true")
        elif re.fullmatch(r"E[A-Z0-9]+", name):
            self._replace("constant", node, "EIO" if name != "EIO" else "EINVAL")
        elif (is_object or re.fullmatch(r"U?INT\d+_C", name)) and node.type.get_canonical().kind in INTEGERS:
            self._off_by_one(node)

    def _enumerator(self, node):
        constant = node.referenced
        if constant is None or constant.kind != CursorKind.ENUM_CONSTANT_DECL:
            return
        names = [child.spelling for child in constant.semantic_parent.get_children()
                 if not child.spelling.endswith("_COUNT")]
        if constant.spelling in names and len(names) > 1:
            self._replace("constant", node, names[(names.index(constant.spelling) + 1) % len(names)])


def mutants_of(root, file):
    """All mutants of root/file, in the order of their places."""
    return list(Source(root, file).mutants())
