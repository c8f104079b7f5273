"""The shell's grammar: from text to a Script."""

from __future__ import annotations

from functools import lru_cache

from op_readiness.simulator.programs.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirected,
    Redirection,
    Script,
    Simple,
    Text,
    Word,
)
from op_readiness.simulator.programs.shell.words import NAME, NAME_START, Reader, SyntaxFault

RESERVED = (
    "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for", "in", "case", "esac", "{", "}", "!",
)  # fmt: skip
_REDIRECTS = ("<<-", "<<", "<&", ">&", ">>", ">|", "<>", "<", ">")


@lru_cache(maxsize=256)
def parse(text: str) -> Script:
    """The script that a text is; raises SyntaxFault."""
    parser = Parser(text)
    script = parser.script(())
    if parser.reader.at < len(parser.reader.text):
        raise SyntaxFault(f'unexpected "{parser.next_token()}"')
    return script


class Parser:
    """Recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self.reader = Reader(text)

    def script(self, ends: tuple[str, ...]) -> Script:
        """Commands up to one of the reserved words or operators in `ends` (which is not taken)."""
        lists: list[AndOr] = []
        while True:
            self._blank(newlines=True)
            if not self.reader.peek() or self._at_end(ends):
                return tuple(lists)
            lists.append(self._and_or())
            self._blank()
            if self.reader.peek() == ";" and self.reader.peek(2) != ";;":
                self.reader.at += 1
            elif self.reader.peek() == "&" and self.reader.peek(2) != "&&":
                self.reader.at += 1
                lists[-1] = AndOr(lists[-1].parts, background=True)
            elif self.reader.peek() not in ("\n", "") and not self._at_end(ends):
                raise SyntaxFault(f'unexpected "{self.next_token()}"')

    def next_token(self) -> str:
        """What stands here, for a message."""
        reader = self.reader
        if not reader.peek():
            return "end of file"
        if reader.peek() == "\n":
            return "newline"
        if reader.peek() in ";&|<>()":
            return reader.peek(2) if reader.peek(2) in ("&&", "||", ";;", "<<", ">>") else reader.peek()
        start = reader.at
        reader.word()
        return reader.text[start : reader.at] or reader.peek()

    def _at_end(self, ends: tuple[str, ...]) -> bool:
        word = self._ahead()
        return any(word == end or (end in (")", ";;") and self.reader.peek(len(end)) == end) for end in ends)

    def _ahead(self) -> str:
        """The plain word that stands here, if it is one."""
        at = self.reader.at
        end = at
        text = self.reader.text
        while end < len(text) and text[end] not in " \t\n;&|<>()":
            end += 1
        return text[at:end]

    def _blank(self, newlines: bool = False) -> None:
        reader = self.reader
        while True:
            char = reader.peek()
            if char in (" ", "\t") or reader.peek(2) == "\\\n":
                reader.at += 1 if char in (" ", "\t") else 2
            elif char == "#" and (reader.at == 0 or reader.text[reader.at - 1] in " \t\n;&|()"):
                end = reader.text.find("\n", reader.at)
                reader.at = len(reader.text) if end < 0 else end
            elif char == "\n" and newlines:
                reader.at += 1
            else:
                return

    def _and_or(self) -> AndOr:
        parts = [("", self._pipeline())]
        while True:
            self._blank()
            operator = self.reader.peek(2)
            if operator not in ("&&", "||"):
                return AndOr(tuple(parts))
            self.reader.at += 2
            self._blank(newlines=True)
            parts.append((operator, self._pipeline()))

    def _pipeline(self) -> Pipeline:
        self._blank()
        negated = False
        while self._ahead() == "!":
            self.reader.at += 1
            self._blank()
            negated = not negated
        commands = [self._command()]
        while True:
            self._blank()
            if self.reader.peek() != "|" or self.reader.peek(2) == "||":
                return Pipeline(tuple(commands), negated)
            self.reader.at += 1
            self._blank(newlines=True)
            commands.append(self._command())

    def _command(self) -> Command:
        word = self._ahead()
        compound: If | Loop | For | Case | Group | None = None
        if self.reader.peek() == "(":
            self.reader.at += 1
            compound = Group(self._body(")"), subshell=True)
        elif word in ("if", "while", "until", "for", "case", "{"):
            self.reader.at += len(word)
            compound = self._compound(word)
        if compound is None:
            if word in RESERVED:
                raise SyntaxFault(f'unexpected "{word}"')
            return self._function(word) or self._simple()
        redirections: list[Redirection] = []
        while self._redirection(redirections):
            pass
        return Redirected(compound, tuple(redirections)) if redirections else compound

    def _compound(self, word: str) -> If | Loop | For | Case | Group:
        if word == "if":
            return self._if()
        if word == "for":
            return self._for()
        if word == "case":
            return self._case()
        if word == "{":
            return Group(self._body("}"))
        condition = self._body("do", take=True)
        return Loop(condition, self._body("done"), negated=word == "until")

    def _body(self, *ends: str, take: bool = True) -> Script:
        """Commands up to one of `ends`, which is taken."""
        script = self.script(ends)
        if not self._at_end(ends):
            raise SyntaxFault(f'unexpected end of file (expecting "{ends[-1]}")')
        if take:
            self.reader.at += len(next(end for end in ends if self.reader.peek(len(end)) == end))
        return script

    def _if(self) -> If:
        branches = []
        while True:
            condition = self._body("then")
            body = self._body("elif", "else", "fi", take=False)
            branches.append((condition, body))
            word = self._ahead()
            self.reader.at += len(word)
            if word == "fi":
                return If(tuple(branches))
            if word == "else":
                return If(tuple(branches), self._body("fi"))

    def _for(self) -> For:
        self._blank()
        name = self.reader.name()
        if not name:
            raise SyntaxFault("bad for loop variable")
        self._blank(newlines=True)
        words: list[Word] | None = None
        if self._ahead() == "in":
            self.reader.at += 2
            words = []
            self._blank()
            while self.reader.peek() not in ("\n", ";", ""):
                words.append(self._need_word())
                self._blank()
        self._blank()
        if self.reader.peek() == ";":
            self.reader.at += 1
        self._blank(newlines=True)
        if self._ahead() != "do":
            raise SyntaxFault(f'unexpected "{self.next_token()}" (expecting "do")')
        self.reader.at += 2
        return For(name, None if words is None else tuple(words), self._body("done"))

    def _case(self) -> Case:
        self._blank()
        word = self._need_word()
        self._blank(newlines=True)
        if self._ahead() != "in":
            raise SyntaxFault(f'unexpected "{self.next_token()}" (expecting "in")')
        self.reader.at += 2
        items: list[tuple[tuple[Word, ...], Script]] = []
        while True:
            self._blank(newlines=True)
            if self._ahead() == "esac":
                self.reader.at += 4
                return Case(word, tuple(items))
            items.append(self._case_item())

    def _case_item(self) -> tuple[tuple[Word, ...], Script]:
        if self.reader.peek() == "(":
            self.reader.at += 1
            self._blank()
        patterns = [self._need_word()]
        self._blank()
        while self.reader.peek() == "|":
            self.reader.at += 1
            self._blank()
            patterns.append(self._need_word())
            self._blank()
        if self.reader.peek() != ")":
            raise SyntaxFault(f'unexpected "{self.next_token()}" (expecting ")")')
        self.reader.at += 1
        script = self.script((";;", "esac"))
        if self.reader.peek(2) == ";;":
            self.reader.at += 2
        return tuple(patterns), script

    def _function(self, word: str) -> Function | None:
        name = word
        after = self.reader.text[self.reader.at + len(name) :].lstrip(" \t")
        if not name or name[0] not in NAME_START or any(c not in NAME for c in name) or not after.startswith("("):
            return None
        if not after[1:].lstrip(" \t").startswith(")"):
            raise SyntaxFault('unexpected "("')
        self.reader.at = self.reader.text.index(")", self.reader.at) + 1
        self._blank(newlines=True)
        return Function(name, self._command())

    def _need_word(self) -> Word:
        start = self.reader.at
        word = self.reader.word()
        if self.reader.at == start:
            raise SyntaxFault(f'unexpected "{self.next_token()}"')
        return word

    def _simple(self) -> Simple:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        while True:
            self._blank()
            if self._redirection(redirections):
                continue
            if self.reader.peek() in ("", "\n", ";", "&", "|", ")"):
                break
            if self.reader.peek() == "(":
                raise SyntaxFault('unexpected "("')
            name = self._assignment() if not words else None
            if name is not None:
                assignments.append((name, self.reader.word()))
            else:
                words.append(self._need_word())
        if not (assignments or words or redirections):
            raise SyntaxFault(f'unexpected "{self.next_token()}"')
        return Simple(tuple(assignments), tuple(words), tuple(redirections))

    def _assignment(self) -> str | None:
        word = self._ahead()
        name, equals, _ = word.partition("=")
        if not equals or not name or name[0] not in NAME_START or any(c not in NAME for c in name):
            return None
        self.reader.at += len(name) + 1
        return name

    def _redirection(self, found: list[Redirection]) -> bool:
        self._blank()
        reader, start = self.reader, self.reader.at
        while reader.peek().isdigit():
            reader.at += 1
        number = reader.text[start : reader.at]
        operator = next((o for o in _REDIRECTS if reader.peek(len(o)) == o), "")
        if not operator:
            reader.at = start
            return False
        reader.at += len(operator)
        self._blank()
        fd = int(number) if number else (0 if operator.startswith("<") else 1)
        if operator.startswith("<<"):
            self._here_document(found, fd, strip=operator == "<<-")
        else:
            found.append(Redirection(fd, operator, self._need_word()))
        return True

    def _here_document(self, found: list[Redirection], fd: int, strip: bool) -> None:
        """Take the text out of the lines that follow: the rest of this line then reads on as usual."""
        word = self._need_word()
        quoted = any(isinstance(part, Text) and part.quoted for part in word)
        end = "".join(part.text for part in word if isinstance(part, Text))
        text, at = self.reader.text, self.reader.at
        line_end = text.find("\n", at)
        head, rest = (text, "") if line_end < 0 else (text[: line_end + 1], text[line_end + 1 :])
        lines: list[str] = []
        while rest:
            line, _, rest = rest.partition("\n")
            line = line.lstrip("\t") if strip else line
            if line == end:
                break
            lines.append(line + "\n")
        self.reader.text = head + rest
        content = "".join(lines)
        found.append(Redirection(fd, "<<", (Text(content, True),) if quoted else self.reader.double(content)))
