#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks what the compiler cannot: size, layering, names, comments.

Prints "file:line: what is wrong; what to do" for each finding and exits 1 if
there is one. `make test` runs it. The rules are those of
docs/ARCHITECTURE.md; exceptions are the lists below, each with its reason.
"""

import glob
import os
import re
import sys

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 80
PARAMETERS_MAX = 5
TAB = 8

# A folder includes itself and those to its left.
LAYERS = ["base", "types", "wal", "snapshot", "engine", "net", "tools",
          "tests"]
PRODUCT = LAYERS[:6]

# Who may write the keyspace: it itself, and apply.
KEYSPACE_WRITERS = re.compile(r"engine/(keyspace|apply)[a-z0-9_]*\.[ch]")

# "file:function": why it may be longer. Flat tables and dispatch only.
LONG_FUNCTIONS = {
}

# "file:function": why it may have more parameters.
MANY_PARAMETERS = {
    "tests/torture/preload/fail_alloc.c:mmap": "stands for the system's",
    "tests/torture/preload/fail_alloc.c:mmap64": "stands for the system's",
}

# Where malloc and free are the right ones.
RAW_MALLOC = {
    "base/mem.c": "it is what wraps them",
}

SKIP_DIRS = re.compile(r"(^|/)(\.git|build[^/]*|data|node_modules|corpus)$")

problems = []


def report(path, line, text):
    problems.append("%s:%d: %s" % (path, line, text))


def project_files():
    for folder, dirs, names in os.walk("."):
        dirs[:] = sorted(d for d in dirs
                         if not SKIP_DIRS.search(os.path.join(folder, d)))
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), ".")
            if not os.path.islink(path):
                yield path


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


COMMENT_OR_STRING = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    """The same number of lines and columns, but nothing in them."""
    text = match.group(0)
    edge = text[0] if text[0] in "\"'" else " "
    inner = re.sub(r"[^\n]", " ", text[1:-1])
    return edge + inner + (edge if edge != " " else " ")


def code_of(text):
    return COMMENT_OR_STRING.sub(blank, text)


def balanced(text, at):
    """The text between the parenthesis at `at` and its partner."""
    depth = 0
    for i in range(at, len(text)):
        if text[i] == "(":
            depth += 1
        elif text[i] == ")":
            depth -= 1
            if depth == 0:
                return text[at + 1:i]
    return text[at + 1:]


def without_attributes(text):
    while True:
        m = re.search(r"__attribute__\s*\(|_Alignas\s*\(", text)
        if not m:
            return text
        inner = balanced(text, m.end() - 1)
        text = text[:m.start()] + text[m.end() + len(inner) + 1:]


class Function:
    def __init__(self, path, first, last, signature):
        self.path, self.first, self.last = path, first, last
        signature = without_attributes(signature)
        m = re.search(r"([A-Za-z_]\w*)\s*\(", signature)
        self.name = m.group(1) if m else ""
        self.is_static = bool(re.search(r"\bstatic\b", signature))
        self.is_test = self.name in ("START_TEST", "END_TEST")
        self.parameters = 0
        if m:
            self.parameters = count_parameters(
                balanced(signature, m.end() - 1))


def count_parameters(inside):
    depth, count = 0, 1
    for c in inside:
        depth += c == "("
        depth -= c == ")"
        count += c == "," and depth == 0
    return count if inside.strip() not in ("", "void") else 0


def functions_of(path, code):
    """Definitions: `{` and `}` alone in column 0, as the style has it."""
    lines = code.split("\n")
    found = []
    for i, line in enumerate(lines):
        if line.rstrip() != "{":
            continue
        first = i
        while first > 0 and re.match(r"[^#\s]|\s+\S", lines[first - 1]) \
                and not re.search(r"[;}]\s*$", lines[first - 1]):
            first -= 1
        last = i
        while last < len(lines) - 1 and not lines[last].startswith("}"):
            last += 1
        if first < i:
            found.append(Function(path, first + 1, last + 1,
                                  " ".join(lines[first:i])))
    return found


def declarations_of(code):
    """(name, first line, last line) of the prototypes of a header."""
    lines = code.split("\n")
    depth, i = 0, 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("#"):
            while lines[i].endswith("\\"):
                i += 1
        elif re.match(r"[A-Z_]+\(\w+\)$", line):
            pass  # an X-list expands here
        elif depth == 0 and re.match(r"[A-Za-z_]", line) and \
                not re.match(r"(typedef|static|_Static_assert)\b", line):
            first = i
            while i < len(lines) - 1 and \
                    not re.search(r"[;{}]\s*$", lines[i]):
                i += 1
            text = without_attributes(" ".join(lines[first:i + 1]))
            m = re.search(r"([A-Za-z_]\w*)\s*\(", text)
            if m and text.rstrip().endswith(";") and "=" not in text:
                yield m.group(1), first + 1, i + 1
            depth += text.count("{") - text.count("}")
        else:
            depth += line.count("{") - line.count("}")
        i += 1


def has_comment_above(raw_lines, first):
    return first >= 2 and raw_lines[first - 2].rstrip().endswith("*/")


# --- the rules --------------------------------------------------------------

def check_lines(path, lines):
    if len(lines) > FILE_LINES_MAX:
        report(path, FILE_LINES_MAX + 1, "%d lines, more than %d; split it "
               "by noun" % (len(lines), FILE_LINES_MAX))
    for n, line in enumerate(lines, 1):
        if len(line.expandtabs(TAB)) > COLUMNS_MAX:
            report(path, n, "wider than %d columns; wrap it (make format)"
                   % COLUMNS_MAX)
        if line != line.rstrip():
            report(path, n, "space at the end of the line; remove it")


def check_spdx(path, lines):
    if path.endswith((".c", ".h")):
        if not lines[:1] == ["/* SPDX-License-Identifier: BSD-3-Clause */"]:
            report(path, 1, "the first line must be "
                   "/* SPDX-License-Identifier: BSD-3-Clause */")
    elif not any("SPDX-License-Identifier: BSD-3-Clause" in line
                 for line in lines[:3]):
        report(path, 1, "no SPDX-License-Identifier in the first 3 lines")


def check_owner(path, lines):
    for n, line in enumerate(lines, 1):
        m = re.search(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\([a-z])", line)
        if m:
            report(path, n, "%s without an owner; do it, or name who will: "
                   "%s(name)" % (m.group(1), m.group(1)))


def check_guard(path, text):
    guard = "REDOUBT_" + re.sub(r"\W", "_", path).upper()
    # inner folders may be left out: tests/support/x.h, REDOUBT_TESTS_X_H
    short = re.sub(r"^(\w+?)/.*/", r"\1/", path)
    short = "REDOUBT_" + re.sub(r"\W", "_", short).upper()
    if not any("#ifndef %s\n#define %s\n" % (g, g) in text
               for g in (guard, short)):
        report(path, 1, "no include guard; use #ifndef %s" % guard)


def check_includes(path, text):
    layer = path.split("/")[0]
    own = path[:-2] + ".h"
    seen_any = False
    for n, line in enumerate(text.split("\n"), 1):
        m = re.match(r'#include (["<])([^">]+)[">]', line)
        if not m:
            continue
        quoted, name = m.group(1) == '"', m.group(2)
        if path.endswith(".c") and not seen_any and os.path.exists(own) \
                and not name.startswith(path[:-2]):
            report(path, n, 'include "%s" first, so that it is known to '
                   "compile alone" % own)
        seen_any = True
        if not quoted:
            continue
        folder = name.split("/")[0]
        if folder not in LAYERS or "/" not in name:
            report(path, n, 'include "%s" as "folder/file.h"' % name)
        elif LAYERS.index(folder) > LAYERS.index(layer) or \
                (folder == "tools" and layer == "tests"):
            report(path, n, "%s/ must not include %s/: arrows point left; "
                   "move the code or pass a callback" % (layer, folder))
        if name == "engine/keyspace_mut.h" and \
                not KEYSPACE_WRITERS.fullmatch(path):
            report(path, n, "only the keyspace and apply may write the "
                   "keyspace; emit a record instead")


def check_functions(path, functions):
    for f in functions:
        size = f.last - f.first + 1
        if size > FUNCTION_LINES_MAX and \
                "%s:%s" % (path, f.name) not in LONG_FUNCTIONS:
            report(path, f.first, "%s has %d lines, more than %d; push ifs "
                   "up and loops down" % (f.name, size, FUNCTION_LINES_MAX))
        if f.parameters > PARAMETERS_MAX and not f.is_test and \
                "%s:%s" % (path, f.name) not in MANY_PARAMETERS:
            report(path, f.first, "%s has %d parameters, more than %d; pass "
                   "an options struct"
                   % (f.name, f.parameters, PARAMETERS_MAX))


def check_header_comments(path, raw_lines, code, documented):
    last_line, last_ok = -1, False
    for name, first, last in declarations_of(code):
        ok = has_comment_above(raw_lines, first) or \
            (last_line == first - 1 and last_ok)
        if ok:
            documented.add(name)
        else:
            report(path, first, "%s has no comment; say what it does, "
                   "returns and owns" % name)
            documented.add(name)
        last_line, last_ok = last, ok


def generated_prefixes():
    """Functions that an X-list in a header declares: `apply_##name`."""
    return tuple(
        m.group(1) for path in glob.glob("*/*.h")
        for m in re.finditer(r"^#define X\([^)]*\) \w+ (\w+_)##name;",
                             read(path), re.M))


def check_definition_comments(sources, documented):
    prefixes = generated_prefixes()
    for path, raw_lines, functions in sources:
        for f in functions:
            if f.is_static or f.is_test or f.name in documented or \
                    f.name.startswith(prefixes or ("\0",)) or \
                    f.name in ("main", "LLVMFuzzerTestOneInput"):
                continue
            if not has_comment_above(raw_lines, f.first):
                report(path, f.first, "%s is not static and has no comment "
                       "here or in a header; write one, or make it static"
                       % f.name)


ALLOCATORS = re.compile(
    r"\b((?:mem|slab)_(?:try_)?(?:alloc|calloc|realloc)\w*|malloc|calloc|"
    r"realloc|aligned_alloc|buf_(?:try_)?reserve|buf_grow|alloca)\s*\(")


def check_allocations(path, code):
    for m in ALLOCATORS.finditer(code):
        line = code.count("\n", 0, m.start()) + 1
        inside = balanced(code, m.end() - 1)
        if re.match(r"[^\n]*\n?\{", code[m.end() + len(inside) + 1:]):
            continue  # a definition
        inside = re.sub(r"sizeof\s*\([^()]*\)|sizeof\s+\*?\w+", "1", inside)
        inside = re.sub(r"\((?:const |struct |unsigned )*\w+ \*+\)", "",
                        inside)
        if re.search(r"[\w\])]\s*\*\s*[\w(]", inside) and \
                not re.match(r"(const |struct |void )", inside):
            report(path, line, "raw product in %s; use the calloc or _array "
                   "form, or size_mul" % m.group(1))
    if path.split("/")[0] in PRODUCT and path not in RAW_MALLOC:
        for m in re.finditer(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup)"
                             r"\s*\(", code):
            line = code.count("\n", 0, m.start()) + 1
            report(path, line, "%s is not counted; use base/mem.h"
                   % m.group(1))


def check_records(files):
    """Every record is described in section 4 of FORMAT.md."""
    names = []
    for path in files:
        if not re.fullmatch(r"wal/record\w*\.h", path):
            continue
        text = read(path)
        for block in re.finditer(r"#define \w*RECORD\w*\(X\w*\)"
                                 r"((?:[^\n]*\\\n)*[^\n]*)", text):
            for m in re.finditer(r"\bX\w*\(\s*(\w+)", block.group(1)):
                at = block.start(1) + m.start()
                names.append((path, text.count("\n", 0, at) + 1,
                              m.group(1)))
    if not names:
        return
    if not os.path.exists("FORMAT.md"):
        report("FORMAT.md", 1, "is missing; section 4 lists the records")
        return
    section = re.search(r"^##? *4\b.*?(?=^##? *\d|\Z)", read("FORMAT.md"),
                        re.S | re.M)
    words = set(re.findall(r"\w+", section.group(0) if section else ""))
    for path, line, name in names:
        if name not in words:
            report(path, line, "record %s is not in FORMAT.md section 4; "
                   "add its row" % name)


def check_commands(files):
    """Every command is named somewhere in tests/."""
    rows = []
    for path in files:
        if not re.fullmatch(r"engine/command\w*\.[ch]", path):
            continue
        for n, line in enumerate(read(path).split("\n"), 1):
            m = re.match(r'\s*\{\s*(?:\.name\s*=\s*)?"([a-z0-9|_ -]+)"\s*,'
                         r'\s*(?:\.\w+\s*=\s*)?cmd_', line)
            if m:
                rows.append((path, n, m.group(1)))
    if not rows:
        return
    words = set()
    for path in files:
        if path.startswith("tests/") and os.path.getsize(path) < 1 << 20:
            words.update(re.findall(r"[a-z0-9_-]+", read(path).lower()))
    for path, line, name in rows:
        for word in re.split(r"[| ]", name):
            if word not in words:
                report(path, line, "command %s is in no test; add one to "
                       "tests/" % name)
                break


def is_script(path):
    if path.endswith((".sh", ".py")) or path == "Makefile":
        return True
    with open(path, "rb") as f:
        return f.read(2) == b"#!"


def check_c_file(path, text, documented, sources):
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    code = code_of(text)
    functions = functions_of(path, code)
    check_lines(path, lines)
    check_spdx(path, lines)
    check_owner(path, lines)
    check_includes(path, text)
    check_functions(path, functions)
    check_allocations(path, code)
    if path.endswith(".h"):
        check_guard(path, text)
        check_header_comments(path, lines, code, documented)
    sources.append((path, lines, functions))


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    files = list(project_files())
    documented, sources = set(), []
    for path in files:
        if path.split("/")[0] in LAYERS and path.endswith((".c", ".h")):
            check_c_file(path, read(path), documented, sources)
        elif is_script(path):
            lines = read(path).split("\n")
            check_spdx(path, lines)
            check_owner(path, lines)
    check_definition_comments(sources, documented)
    check_records(files)
    check_commands(files)
    for line in problems:
        print(line)
    print("tidy: %d C files, %d problems" % (len(sources), len(problems)))
    return 1 if problems else 0


sys.exit(main())
