"""The outline of a C++ file: its functions with their lengths, and variables that could change.

Not a parser. It knows as much of the language as clang-formatted code needs: comments, strings and
preprocessor lines are blanked, then braces are followed and each is a namespace, a type, a function
or something inside of these.
"""

import re

_BLANKED = re.compile(
    r'//[^\n]*|/\*.*?\*/'  # comments
    r'|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"'  # raw strings
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''  # strings, characters, not 1'000
    r'|^[ \t]*#(?:\\\n|[^\n])*',  # preprocessor lines
    re.S | re.M)

_TYPE = re.compile(r"\b(class|struct|union|enum)\b(?![^<]*>)")
_NAMESPACE = re.compile(r'^\s*(inline\s+)?namespace\b|^\s*extern\s*("\s*"|$)')
_CONSTANT = re.compile(r"\b(constexpr|constinit const|const)\b")
_NOT_A_VARIABLE = re.compile(
    r"^(using|namespace|extern|class|struct|enum|union|template|typedef|friend|static_assert|public"
    r"|private|protected|concept|requires|return|if|for|while|switch|case|default|else|do|goto)\b")
_VARIABLE = re.compile(r"^[\w:<>,\s*&.\[\]]+[\s*&>]\w+(\[[^\]]*\])*\s*(=.*)?$", re.S)


def blank(text):
    """Comments, string contents and preprocessor lines as spaces; line breaks stay."""

    def spaces(match):
        found = match.group(0)
        edge = '"' if found[0] == '"' else " "
        inside = re.sub(r"[^\n]", " ", found)
        return edge + inside[2:] + edge if len(found) > 1 else inside

    return _BLANKED.sub(spaces, text)


def _kind_of(head, before, inside):
    """What a brace opens, from the text before it and the kind of the scope it stands in."""
    if inside in ("function", "block"):
        return "block"
    if _NAMESPACE.search(head):
        return "namespace"
    stripped = head.rstrip()
    if before and not before.isspace():
        return "initializer"  # member_{value}, Type name{value}: formatted bodies have a space before
    if stripped.endswith("=") or stripped.endswith(","):
        return "initializer"
    if _TYPE.search(re.sub(r"template\s*<[^{]*?>\s*(?=class|struct|union)", "", head)) and \
            not re.search(r"\)\s*(const|noexcept|override|final|\s)*$", stripped):
        return "type"
    return "function" if "(" in head else "block"


def _function_name(head):
    flat = " ".join(head.split())
    test = re.search(r"\b(TEST|TEST_F|TEST_P|TYPED_TEST)\((\w+), (\w+)\)", flat)
    if test:
        return f"{test.group(2)}.{test.group(3)}"
    named = re.search(r"([\w:~]+|operator\s*[^\s(]+)\s*\(", flat)
    return named.group(1) if named else flat[:40]


def _is_mutable(statement, scope):
    """Whether a statement declares a variable with static lifetime that code could change."""
    flat = " ".join(statement.split())
    is_static = re.match(r"(inline\s+)?static\b|(static\s+)?inline\s+static\b", flat)
    if scope in ("function", "block", "type") and not is_static:
        return False
    if scope == "type" and "(" in flat.split("=")[0].split("{")[0]:
        return False
    if _NOT_A_VARIABLE.match(flat):
        return False
    declared = flat.split("=")[0]
    if _CONSTANT.search(declared) and not re.search(r"\bconst\b[^*]*\*(?!\s*const)", declared):
        return False
    if "constexpr" in declared:
        return False
    if scope in ("function", "block"):
        return True
    return "(" not in declared and bool(_VARIABLE.match(flat))


def outline(text):
    """(functions, mutables): [(name, first line, lines)] and [(line, statement)]."""
    code = blank(text)
    functions, mutables = [], []
    scopes = []  # (kind, head, line where the head starts)
    start = position = 0
    depth_round = 0
    held = ""  # a declaration whose braces were an initializer

    def line_of(offset):
        lead = len(code[offset:]) - len(code[offset:].lstrip())
        return code.count("\n", 0, offset + lead) + 1

    for position, char in enumerate(code):
        inside = scopes[-1][0] if scopes else "namespace"
        if char == "(":
            depth_round += 1
        elif char == ")":
            depth_round -= 1
        elif char == "{":
            head = code[start:position]
            kind = _kind_of(head, code[position - 1:position], inside)
            if depth_round > 0 and kind != "block":
                kind = "block"
            scopes.append((kind, held + head, line_of(start), depth_round))
            depth_round = 0
            start = position + 1
            held = ""
        elif char == "}" and scopes:
            kind, head, first, depth_round = scopes.pop()
            start = position + 1
            if kind == "function":
                functions.append((_function_name(head), first, code.count("\n", 0, position) + 2 - first))
            elif kind == "initializer":
                held = head + " "
        elif char == ";" and depth_round == 0:
            statement = held + code[start:position]
            if inside != "initializer" and _is_mutable(statement.strip(), inside):
                mutables.append((line_of(start), " ".join(statement.split())))
            start = position + 1
            held = ""
        elif char == ":" and inside == "type" and \
                re.search(r"\b(public|private|protected)\s*$", code[start:position]):
            start = position + 1
    return functions, mutables
