"""The name of a feature: which are usable, and how each is spelled. Pure."""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass

from trunkline.errors import Refusal

LONGEST = 30
# Not `os`: linters refuse its singular, because O looks like a zero.
USABLE = re.compile(
    rf"(?=.{{2,{LONGEST}}}$)(?![oil]s$)[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*"
)
# Words that are their own plural, or have none.
UNCOUNTED = re.compile(r"(.*_)?(data|media|news|series|species)")
# Endings of a plural and of its singular; the first that matches counts.
ENDINGS = (
    (r"(?<![a-z])people$", "person"),
    (r"(?<![a-z])children$", "child"),
    (r"(?<![a-z])(wo)?men$", r"\1man"),
    (r"(?<![a-z])(kni|li|wi)ves$", r"\1fe"),
    (r"(hal|shel|wol)ves$", r"\1f"),
    (r"(analy|cri|diagno|hypothe|synthe)ses$", r"\1sis"),
    (r"(append|matr)ices$", r"\1ix"),
    (r"(ind|vert)ices$", r"\1ex"),
    (r"(alias|atlas|bias|canvas|cargo|echo|gas|hero|potato|quiz|tomato)z?es$", r"\1"),
    (r"((?<![a-z])ca|avalan|heada|ni|qui)ches$", r"\1che"),
    (r"(cook|mov|rook|zomb|\bt|\bp|\bl)ies$", r"\1ie"),
    (r"ies$", "y"),
    (r"([^aeo]us|ss|sh|x|zz|ch)es$", r"\1"),
    (r"([^sui])s$", r"\1"),
)


@dataclass(frozen=True, slots=True)
class Noun:
    """A feature's name; without a plural both are the same."""

    plural: str
    singular: str

    def spellings(self) -> dict[str, str]:
        """Return what templates replace."""
        titles, title = (it.replace("_", " ") for it in (self.plural, self.singular))
        return {
            "names": self.plural,
            "name": self.singular,
            "Names": titles.title().replace(" ", ""),
            "Name": title.title().replace(" ", ""),
            "path": self.plural.replace("_", "-"),
            "titles": titles,
            "Titles": titles.capitalize(),
            "title": title,
            "a_title": f"{'an' if title[0] in 'aeio' else 'a'} {title}",
        }


def noun(name: str) -> Noun:
    """Derive the singular of a plural: of `sales_orders`, `sales_order`."""
    if UNCOUNTED.fullmatch(name):
        return Noun(name, name)
    for ending, singular in ENDINGS:
        if re.search(ending, name):
            return Noun(name, re.sub(ending, singular, name))
    return Noun(name, name)


def plural(name: str) -> str:
    """Make a plural of a name that is none."""
    if noun(name).singular != name:
        return name
    if UNCOUNTED.fullmatch(name):
        return f"{name}_records"
    if re.search(r"[^aeiou]y$", name):
        return f"{name[:-1]}ies"
    return f"{name}es" if re.search(r"(s|sh|ch|x|z)$", name) else f"{name}s"


def objection(name: str, taken: Mapping[str, str], *, counted: bool) -> str | None:
    """Say what is expected instead of a name; None if it will do.

    `taken` tells what each identifier is already. What is `counted` needs a plural.
    """
    if not USABLE.fullmatch(name):
        return (
            "lower-case words joined by `_`, each starting with a letter, "
            f"2 to {LONGEST} characters, not os or ls"
        )
    known, spelled = noun(name), noun(name).spellings()
    for each in (spelled[key] for key in ("names", "name", "Names", "Name")):
        if keyword.iskeyword(each):
            return f"another one: `{each}` is a keyword of Python"
        if each in taken:
            return f"another one: `{each}` is {taken[each]}"
    if counted and known.singular == known.plural:
        return "a plural, because its singular names one row"
    return None


def require(name: str, taken: Mapping[str, str], *, counted: bool) -> None:
    """Raise Refusal, with a name that will do, unless this one does."""
    expected = objection(name, taken, counted=counted)
    if expected is None:
        return
    spaced = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
    clean = "_".join(re.findall(r"[a-z]+[0-9]*", spaced))[: LONGEST - 8].strip("_")
    clean = clean or "things"
    candidates = [clean, plural(clean), f"my_{plural(clean)}", f"{clean}_records"]
    usable = (it for it in candidates if not objection(it, taken, counted=counted))
    raise Refusal(
        rule="feature-name",
        found=f"the name {name!r}",
        expected=expected,
        fix=f"uv run trunkline feature {next(usable, 'OTHER_NAME')}"
        + ("" if counted else " --without-table"),
    )
