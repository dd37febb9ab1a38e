"""Asks a block rule of markdown-it only about lines that could begin such a block.

Every rule is asked about every line, often several times, and each takes long to say no.
"""

from markdown_it import MarkdownIt
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock

_FIRST = {
    "fence": "`~",
    "blockquote": ">",
    "hr": "*-_",
    "list": "*-+0123456789",
    "html_block": "<",
    "heading": "#",
}


def install(markdown: MarkdownIt) -> None:
    ruler = markdown.block.ruler
    for rule in list(ruler.__rules__):
        if rule.name in _FIRST:
            only = _only_at(frozenset(_FIRST[rule.name]), rule.fn)
            ruler.at(rule.name, only, {"alt": list(rule.alt)})


def _only_at(characters: frozenset[str], rule: RuleFuncBlockType) -> RuleFuncBlockType:
    def guarded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        first = state.bMarks[start] + state.tShift[start]
        return state.src[first : first + 1] in characters and rule(state, start, end, silent)

    return guarded
