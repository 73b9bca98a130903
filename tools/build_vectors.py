r"""Build assets/vectors/generalpoints.jsonl: responses to GeneralPoints puzzles and what a verifier owes them.

python tools/build_vectors.py

Each line is one JSON object in ASCII: name, response, cards, rule, target, expect {is_correct, failure, reward (the
paper's)}, why; "vision" and "strict" stand only where the verdict holds for that mode alone. What is expected is
written here by hand or follows from exact fractions; nothing asks the verifier.
"""

# ruff: noqa: E501  (tables)

from __future__ import annotations

import ast
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

from verienv.generalpoints import PRESETS, Puzzle, solutions
from verienv.generalpoints.cards import FACES, RANKS
from verienv.generalpoints.rules import RuleLike

PRICES = {"": 5.0, "illegal": -3.0, "unreadable": -3.0, "wrong_numbers": -2.0}  # all others -1
HAND = ("4", "3", "2", "K")  # 4 3 2 10 in most cases
RIGHT, OFF, FOREIGN, BROKEN = "4*3+2+10", "10*4-3-2", "4*6*1*1", "(4*3+2+10"
vectors: list[dict[str, Any]] = []
names: set[str] = set()


def case(
    name: str,
    response: str,
    failure: str,
    why: str,
    cards: tuple[str, ...] = HAND,
    *,
    rule: RuleLike = "ten",
    target: int = 24,
    vision: bool | None = None,
    strict: bool | None = None,
    reward: float | None = None,
) -> None:
    """One vector. Where ``vision`` or ``strict`` is None the verdict is the same either way."""
    number = 1 + sum(1 for other in names if other.rsplit(" ", 1)[0] == name)
    name = f"{name} {number:03}"
    names.add(name)
    vector: dict[str, Any] = {"name": name, "response": response, "cards": cards, "rule": rule, "target": target}
    vector |= {"vision": vision} if vision is not None else {}
    vector |= {"strict": strict} if strict is not None else {}
    paid = PRICES.get(failure, -1.0) if reward is None else reward
    vectors.append(vector | {"expect": {"is_correct": not failure, "failure": failure, "reward": paid}, "why": why})


def answer(formula: Any, cards: tuple[str, ...] = HAND, rule: RuleLike = "ten") -> str:
    """Plain JSON with the right cards and numbers, so that only the formula decides."""
    puzzle = Puzzle(cards, rule)
    return json.dumps({"cards": puzzle.ranks, "number": puzzle.values, "formula": formula})


def formulas(name: str, failure: str, why: str, *texts: Any, cards: str = "4 3 2 K", **setting: Any) -> None:
    hand = tuple(cards.split())
    for text in texts:
        case(name, answer(text, hand, setting.get("rule", "ten")), failure, why, hand, **setting)


def value(formula: str) -> Fraction | None:
    """Exact value of a formula of our own writing, by ast and Fraction: no code of the verifier's."""

    def walk(node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant):
            return Fraction(node.value)
        if not isinstance(node, ast.BinOp):
            raise TypeError(ast.dump(node))
        left, right = walk(node.left), walk(node.right)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case _:
                return left / right

    try:
        return walk(ast.parse(formula, mode="eval").body)
    except ZeroDivisionError:
        return None


def confirm(formula: str, target: int) -> None:
    if value(formula) != target:
        raise ValueError(f"{formula} does not make {target}")


def spellings() -> None:
    formulas(
        "spelling", "", "the same meaning in another spelling",
        "4*3+2+10=24", "4*3+2+10", "24=4*3+2+10", "4 * 3 + 2 + 10", "((4*3)+(2+10))", "4×3+2+10", "4x3+2+10",
        r"\boxed{4\times 3+2+10}", "4X3+2+10", "4 x 3 + 2 + 10", "(4)x(3)+2+10", "4x(3)+2+10", "4·3+2+10", "4⋅3+2+10",
        "4∗3+2+10", "10*3−4−2", "10*3–4–2", "10*3—4—2", "4*3+2+10 = 24.", "4*3+2+10,", "4*3+2+10 .", "4*3+2+10=24,",
        "\t4*3\n+2\r\n+10 ", "4\f*\v3+2+10", "(4*3+2+10)=24", "24=(4*3+2+10)", "24 = 4*3+2+10.", "((((4*3+2+10))))",
        "( 4 * 3 ) + ( 2 + 10 )",
    )  # fmt: skip
    formulas(
        "full-width", "", "U+FF01..FF5E are mapped to ASCII",
        "４＊３＋２＋１０", "（4*3）+2+10", "4*3＋2+10＝24", "4ｘ3+2+10", "10*3－4－2", "4*3+2+10．", "4*3+2+10，", "＄4*3+2+10＄",
        "＼boxed｛4*3+2+10｝",
    )  # fmt: skip
    formulas("full-width", "", "U+FF0F is a division sign", "8／（3－8／3）", cards="3 3 8 8")
    formulas(
        "sign", "", "a sign is arithmetic, it gives no new power",
        "-2-4+10*3", "+4*3+2+10", "10--2+4*3", "4*3-(-2)+10", "-(4+2)+3*10", "-(4+2-3*10)", "-4*-3+2+10", "4*+3+2+10",
        "4*3++2+10", "-(-(4*3))+2+10", "(-4)*(-3)+2+10", "-(-4*3)+2+10",
    )  # fmt: skip
    formulas(
        "another solution", "", "every solution counts",
        "2+10+4*3", "10+2+3*4", "10*3-4-2", "(10*3)-(4+2)", "10+2*(4+3)", "2*(4+3)+10", "3*10-(2+4)", "(3+4)*2+10",
    )  # fmt: skip
    formulas(
        "TeX", "", "TeX's words for the four operations, and one wrapper around the whole",
        "$4*3+2+10$", r"$4 \times 3 + 2 + 10 = 24$", r"\(4*3+2+10\)", r"\( 4\cdot 3+2+10 \)", r"\boxed{4*3+2+10=24}",
        r"\boxed {4*3+2+10}", "$4*3+2+10$.", "$4*3+2+10.$", r"\boxed{4*3+2+10}.", r" \boxed{4*3+2+10} ",
        r"\left(4*3\right)+2+10", r"\left( 4\times3 \right) + \left (2+10\right )", r"4\times3+2+10", r"4\cdot3+2+10",
    )  # fmt: skip
    formulas(
        "exact", "", "exact rationals, never floats",
        "8/(3-8/3)", "8/(3-8/3)=24", "24=8/(3-8/3)", "8÷(3-8÷3)", "8∕(3−8∕3)", r"\frac{8}{3-\frac{8}{3}}",
        r"\dfrac{8}{3-\tfrac{8}{3}}", r"8\div(3-8\div 3)", r"\boxed{\frac{8}{3-\frac{8}{3}}}", r"\frac {8} {3-8/3}",
        r"8/\left(3-\frac83\right)".replace("83", "{8}{3}"), r"$\frac{8}{\left(3-\frac{8}{3}\right)}=24$",
        cards="3 3 8 8",
    )  # fmt: skip
    formulas("exact", "", "exact rationals", "6÷(1-3÷4)", "6/(1-3/4)", r"\frac{6}{1-\frac{3}{4}}", cards="A 3 4 6")
    formulas("exact", "", r"\frac is one factor", r"3*6/\frac{3}{4}", r"\frac{3*6}{\frac{3}{4}}", cards="3 6 3 4")
    formulas("deep", "", "parentheses may be 64 deep", "(" * 64 + RIGHT + ")" * 64)
    formulas("deep", "illegal", "and no deeper", "(" * 65 + RIGHT + ")" * 65)


def other_puzzles() -> None:
    """Hands that only fractions solve, every preset rule, other targets, three to six cards."""
    rng = random.Random(24)
    fractions_only = (
        "A 3 4 6, A 4 5 6, A 5 5 5, A 6 6 8, A 8 Q Q, 2 2 J J, 2 2 K K, 2 3 5 Q, 2 4 10 10, 2 5 5 10, 2 7 7 10, "
        "3 3 7 7, 3 3 8 8, 4 4 7 7, 5 5 7 J, 5 7 7 J"
    )
    for cards in fractions_only.split(", "):
        puzzle = Puzzle(tuple(cards.split()), "rank")
        for solution in solutions(puzzle.values, 24)[:2]:
            confirm(solution.minimal(), 24)
            why = "only fractions on the way reach 24; floats miss it"
            formulas("fraction", "", why, solution.minimal(), solution.full(), cards=cards, rule="rank")
    settings = [(rule, 24, size) for rule in PRESETS for size in (4, 4)]
    settings += [("ten", target, 4) for target in (1, 7, 12, 36, 100)]
    settings += [
        ("rank", 24, 3),
        ("rank", 24, 5),
        ("seven", 30, 5),
        ("ten", 24, 6),
        ({"J": 1, "Q": 2, "K": 99}, 100, 4),
    ]
    for rule, target, size in settings:
        while True:
            cards = tuple(rng.choices((*RANKS, *FACES), k=size))
            puzzle = Puzzle(cards, rule, target)
            found = solutions(puzzle.values, target) if {"J", "Q", "K"} & set(cards) else ()
            if found:
                break
        setting = {"cards": " ".join(cards), "rule": rule, "target": target}
        solution = found[-1]
        confirm(solution.minimal(), target)
        formulas("rule", "", "right under this rule", solution.minimal(), f"{solution.full()}={target}", **setting)
        formulas("rule", "wrong_numbers", "an unused extra", f"{solution.minimal()}+1-1", **setting)
        formulas("rule", "false_equation", "it claims another", f"{solution.minimal()}={target + 1}", **setting)
        other = Puzzle(cards, "rank" if rule != "rank" else "ten", target)
        strays = solutions(other.values, target) if other.numbers != puzzle.numbers else ()
        if strays:
            formulas("rule", "wrong_numbers", "right under another rule only", strays[0].minimal(), **setting)
    near = {"J": 99, "Q": 98, "K": 97}
    formulas(
        "near", "wrong_value", "24 + 1/941094: a tolerance pays it", "4*6+1/(99*98*97)", cards="4 6 A J Q K", rule=near
    )
    formulas("near", "wrong_value", "24 - 1/941094", "4*6-1/(99*98*97)", cards="4 6 A J Q K", rule=near)
    near_misses = (
        (24, 25, "cut to an integer it would be 24"),
        (23, 24, "rounded it may be 24"),
        (-25, -23, "the sign"),
    )
    for low, high, why in near_misses:
        count = 0
        while count < 12:
            cards = tuple(rng.choices(RANKS, k=4))
            numbers = list(Puzzle(cards).values)
            rng.shuffle(numbers)
            a, b, c, d = numbers
            p, q, r = rng.choices("+-*/", k=3)
            formula = rng.choice([f"{a}{p}{b}{q}{c}{r}{d}", f"({a}{p}{b}){q}({c}{r}{d})", f"{a}{p}({b}{q}{c}){r}{d}"])
            made = value(formula)
            if made is not None and low < made < high and made != 24:
                formulas("near", "wrong_value", why, formula, cards=" ".join(cards))
                count += 1


def equations() -> None:
    formulas(
        "claim", "false_equation", "it claims to equal something other than the target",
        "4*3+2+10=999", "999=4*3+2+10", "4*3+2+10=25", "4*3+2+10=0", "4*3+2+10=999999", "4*3+2+10=10", "10*4-3-2=35",
        "35=10*4-3-2", "10*4-3-2=999", r"\boxed{4*3+2+10=25}",
    )  # fmt: skip
    formulas("claim", "false_equation", "the claim is judged first", "10/(4-4)+2=7", cards="4 4 2 10")
    formulas(
        "equation", "illegal", "not one equation with the target",
        "4*3=12+2+10=24", "4*3=12; 12+2=14", "4*3=2+10", "4*3+2+10==24", "4*3+2+10=24=24", "4*3+2+10=", "=4*3+2+10",
        "=24", "24=", "4*3+2+10=-24", "4*3+2+10=24.0", "4*3+2+10=024", "4*3+2+10=(24)", "4*3+2+10=+24", "=", "==",
        "x=4*3+2+10", "answer=4*3+2+10", "4*3+2+10≈24", "4*3+2+10=1000000", "(4*3+2+10=24)", "4*3+2+10=4*6", "4*3+2+10=?",
        "4*3=12, 12+2+10=24", "4*3+2+10=20+4", "4*3+2+10!=25", "4*3+2+10<=24", "4*3+2+10:=24", r"4*3+2+10\neq 25",
    )  # fmt: skip
    formulas(
        "value", "wrong_value", "the right numbers, another value",
        "10*4-3-2", "4+3+2+10", "10-4-3-2", "(10+2)*4/3", "4*3*2*10", "10*4-3-2=24", "24=10*4-3-2", "-(4*3+2+10)",
        "-4*3-2-10", "4*(3+2+10)", "4/3/2/10", "4*3+2-10", "4*3*2/10", "10/(4*3*2)", "(4-3)*2*10",
    )  # fmt: skip
    formulas(
        "zero", "division_by_zero", "there is no value",
        "10/(4-4)+2", "10/(4-4)+2=24", "2/(4-4)*10", "(10+2)/(4-4)", "10/((4-4)/2)", r"\frac{10}{4-4}+2",
        cards="4 4 2 10",
    )  # fmt: skip
    formulas("zero", "division_by_zero", "sympy takes 1/(2/0) for 0", "4*6+1/(2/(3-3))", cards="4 6 A 2 3 3")
    formulas("zero", "division_by_zero", "0/0 has no value", "(8-8)/(3-3)", "(3-3)/(8-8)", cards="3 3 8 8")


def numbers() -> None:
    formulas(
        "numbers", "wrong_numbers", "the integers are not exactly the cards' numbers",
        "43-2-10", "4*3*2", "4*3+2+10*4/4", "4+20", "4*6*1*1", "4*6", "24", "24=24", "24*1*1*1", "8*3", "12*2", "1*24",
        "4*3+2+10+0", "4*3+2+10*1", "(4*3+2+10)/1", "4*3+2+10+1-1", "4*3+2+10-4+4", "4*3+12", "22+2", "4*3+2+11-1",
        "4*3+2+13-3", "4*3+2+13", "4*6=999", "4/(3-3)", "0", "4*3+2+100", "999999", "4*3+2+10/10*10", "4*3*2+0*10",
        "4*3+(2+10)*(4-3)", "4*3+2+9+1", "6*4", "2*12", "0+24", "4+3+2+10+5", "1+1+1+1", "4*3+2+1+0", "4 * 3 * 2 = 24",
        "1" + "+1" * 15, "5*5-1*1", "3*8", "8*3*1*1", "(5-1)*6*1", "24+1-1+0", "10+10+4", "\\frac{24}{1}",
    )  # fmt: skip
    for cards in ("6 6 6 6", "2 3 4 5", "A A 4 6", "10 10 4 A"):
        stray = "4*6*1*1" if cards != "A A 4 6" else "6+6+6+6"
        formulas("numbers", "wrong_numbers", "one answer for every puzzle", stray, "24", "12+12", cards=cards)
    formulas("numbers", "", "here these are the cards", "4*6*1*1", "6*4/1/1", cards="A A 4 6")


def illegal() -> None:
    why = "outside the grammar"
    formulas("face", "illegal", "the face card's number is the point of the rule", "4*3+2+K", "4*3+2+k", "K+2+4*3=24")
    formulas(
        "syntax", "illegal", why,
        "", " ", ".", ",", "()", "(4*3+2+10", "4*3+2+10)", "((4*3+2+10)", "4*3+2+10))", ")4*3+2+10(", "4*/3+2+10", "4*3+2+10+",
        "*4*3+2+10", "4*3+++2+10", "--4*3+2+10", "4*--3+2+10", "4 3*2+10", "1 0+4*3+2", "4*3,2+10", "4*3+2+10;", "4*3+2+10..",
        "4*3+2+10.,", "4*3+2+10!", "4*3+2+10 #24", "4*3+2+10 = 24 ✓", "4*3+2+10 -> 24", "4:3+2+10", "4*3+2+10 or 24", "+",
        "(4)(3)+2+10", "4(3)+2+10", "(4*3+2)10", "[4*3]+2+10", "[4*3+2+10]", "{4*3}+2+10", "1$0+4*3+2", "4*3+2+10 equals 24",
        "x4*3+2+10", "4xx3+2+10", "4*x3+2+10", "4*3+2+10x", "4*3+2+()10", "4*3+2+10()", "'4*3+2+10'", '"4*3+2+10"', "`4*3+2+10`",
        "four*3+2+10", "4 times 3+2+10", "4*3+2+10\n4*3+2+10", "4*3+2+10 4*3+2+10", "I do not know", "formula", "None",
    )  # fmt: skip
    formulas(
        "number", "illegal", "only plain ASCII integers are numbers",
        "4.0*3+2+10", "4*3+2+1e1", "1e1", "04*3+2+10", "4*3+2+0010", "4*3+2+1_0", "4*3+2+0b1010", "4*3+2+0o12", "4*3+2+0xA", "0x4",
        "0 x 4", "4j*3+2+10", "4*3+2+10.0", ".4*3+2+10", "٤*3+2+10", "४*3+2+10", "④*3+2+10", "4*3+2+⑩", "⑩", "1¹", "𝟒*3+2+10",
        "4*3+2+½", "Ⅳ*3+2+10", "4*3+2+十", "4*3+2+10%", "4*3+2+1234567", "9" * 5000, "nan", "inf", "-inf", "1e999", "00", "4L*3+2+10",
    )  # fmt: skip
    formulas("power", "illegal", "no powers, in any notation", "4**2", "4^2", "4²", "4!", "4%3", "4//2")
    formulas("power", "illegal", "Python makes it 24", "4**2*3/2", "4^2*3/2", "2**3*4-2*4", cards="4 2 3 2")
    formulas("power", "illegal", "NFKC would make it 42", "4²-18", cards="4 2 9 9")
    formulas("power", "illegal", "floor division makes it 24", "9//2*6*1", cards="9 2 6 A")
    formulas("power", "illegal", "a factorial makes it 24", "4!+3-2-1", "4!*(3-2)*1", cards="4 3 2 A")
    formulas("power", "illegal", "a remainder makes it 24", "9%5*6*1", cards="9 5 6 A")
    formulas(
        "power", "illegal", "shifts and bits", "3<<2+1*1", "3<<(2+1)*1", "8|16", "~4*-5", "4@3", "8&9", cards="3 2 A A"
    )
    formulas("power", "illegal", "decimals by a dot", "2.4*10*1", "2.4*10", cards="2 4 10 A")
    formulas("code", "illegal", "model text is never run as code",
        "abs(4)*3+2+10", "int(4)*3+2+10", "max(4,3)", "sum([4,3,2,10])+5", "sqrt(4)*3+2+10", "__import__('os').getcwd()",
        "().__class__.__mro__", "lambda:24", "print(24)", "24 if 4*3+2+10 else 0", "4*3+2+10 and 24", "True*24", "exec('24')",
        "len('123456789012345678901234')", "4*3+2+10<25", "ord('\\x18')", "(lambda x:24)(4)", "[24][0]", "eval('24')", "{24}.pop()",
        "Integer(24)", "factorial(4)", "Symbol('x')", "target", "24or 4*3+2+10", "open('x')", "f'{24}'", "4*3+2+10 if 1 else 0",
    )  # fmt: skip
    formulas("heavy", "illegal", "cheap to refuse, ruinous to evaluate", "9**9**9**9", "9^9^9^9", cards="9 9 9 9")
    formulas(
        "heavy", "illegal", "bounded work", "(" * 10_000, "(" * 10_000 + ")" * 10_000, "-" * 2000 + "4", "4" + "+4" * 500,
        "1" + "+1" * 16, "(" * 2000 + RIGHT + ")" * 2000, r"\frac{" * 500, "4*3+2+10" + " " * 2000 + "+", "=" * 2000,
    )  # fmt: skip
    for name, sign in (
        ("NUL", "\0"), ("right-to-left override", "\u202e"), ("right-to-left mark", "\u200f"), ("zero-width space", "\u200b"),
        ("zero-width joiner", "\u200d"), ("soft hyphen", "\xad"), ("no-break space", "\xa0"), ("BOM", "\ufeff"), ("DEL", "\x7f"),
        ("ideographic space", "\u3000"), ("lone surrogate", "\ud800"), ("replacement", "\ufffd"), ("combining", "\u0301"),
        ("line separator", "\u2028"), ("file separator", "\x1c"), ("next line", "\x85"), ("emoji", "😀"), ("backspace", "\b"),
    ):  # fmt: skip
        why = f"a {name} is no part of a formula"
        formulas(
            "look-alike", "illegal", why, f"4*3{sign}+2+10", f"4*3+2+1{sign}0", f"{sign}4*3+2+10", f"4*3+2+10{sign}=24"
        )
    for sign in "✕✖⨯•∙⁎✱╳хχ":
        formulas("look-alike", "illegal", "not one of the signs that are times", f"4{sign}3+2+10")
    for sign in "⁻‐‑―﹣➖⁃":
        formulas("look-alike", "illegal", "not one of the signs that are minus", f"10*3{sign}4{sign}2")
    for sign in "⁺﹢➕":
        formulas("look-alike", "illegal", "not a plus", f"4*3{sign}2+10")
    formulas("look-alike", "illegal", "not a division sign", "8⁄(3-8⁄3)", "8➗(3-8➗3)", "8:(3-8:3)", cards="3 3 8 8")
    formulas(
        "TeX", "illegal", "TeX beyond the few words",
        r"\frac{4)*(3}{2}+10", r"\sqrt{4}*3+2+10", r"\text{4*3+2+10}", "$$4*3+2+10$$", r"$\boxed{4*3+2+10}$", r"\boxed{4*3+2+10",
        r"\frac{4*3}{2", r"\frac{4}", r"\frac 4 3+2+10", r"\frac43+2+10", r"\left[4*3\right]+2+10", r"\left 4*3+2+10", r"4\times",
        r"\times4", r"4\pm3", r"4{*}3+2+10", r"4\timesx3", r"4\frac{3}{2}+10", r"\frac{3}{2}4+10", "$4*3$+$2+10$", "$4*3+2+10",
        r"\(4*3\)+\(2+10\)", r"\boxed{4}\boxed{3}", r"\cdots", "\\", "\\\\", r"\frac{}{}", r"\boxed{}", "$", "$$", r"\(\)",
        r"\[4*3+2+10\]", r"\boxed{4*3+2+10}=24", r"\fbox{4*3+2+10}", r"4\,*3+2+10", r"\mathrm{4}*3+2+10", "$4*3+2+10.$.",
        r"\frac{4=3}{2}", r"(\frac{4*3)+2+10}{1}", r"{\boxed{4*3+2+10}}", "4*3+2+10}", r"\Times", r"4\ast 3+2+10",
    )  # fmt: skip
    for wrong in (24, 24.0, None, True, False, [RIGHT], [4, "*", 3], {"text": RIGHT}, {}, [], 10**30, -24, 1e300):
        case("type", answer(wrong), "illegal", "a field of the wrong type is a wrong answer, not an error")


def reading() -> None:
    """How the answer is found and read, whatever its formula is worth."""
    right, off = answer(RIGHT), answer(OFF)
    wrappers = {
        "bare": "{}",
        "fence": "```json\n{}\n```",
        "plain fence": "```\n{}\n```\n",
        "reasoning": "We need 24. Try 4*3 = 12 first; then it's easy: 12 + 2 + 10.\n\n{}",
        "afterword": "{}\n\nThat makes it. I'm sure: {{4, 3}} first, then \\frac{{10}}{{2}}.",
        "white space": "\n\n  {}  \n",
        "think": "<think>\nIs {{it}} '4*3'? \"Yes {{\n</think>\n<answer>{}</answer>",
        "wrapped": '{{"answer": {}}}',
        "wrapped twice": '{{"result": {{"answer": {}, "sure": true}}, "n": [1]}}',
        "in a list": "[{}]",
        "in quotation marks": 'My answer is "{}".',
        "in apostrophes": "The answer is '{}', as you see.",
        "stray brace": 'The set {{4, 3, and the symbol "{{": {}',
        "stray close": "}} }} {} }}",
        "boxed": "\\boxed{{{}}}",
        "inches": "It is 5'10\" tall. {}",
        "BOM": "\ufeff{}",
        "surrogate": "\ud83d {} \udc00",
        "NUL": "\0{}\0",
        "many objects after": "{}" + " {{}}" * 40,
        "long before": "lorem ipsum {{ \"dolor' " * 100 + "\n{}",
    }
    for name, wrapper in wrappers.items():
        for formula, failure in ((RIGHT, ""), (OFF, "wrong_value"), (FOREIGN, "wrong_numbers"), (BROKEN, "illegal")):
            case(f"reading: {name}", wrapper.format(answer(formula)), failure, "wherever the object stands")
    last = "the last object counts; a list of guesses earns one try"
    case("drafts", f"{off}\nNo: {right}", "", last)
    case("drafts", f"{right}\nNo: {off}", "wrong_value", last)
    case("drafts", f"{right}\nBetter: {answer(FOREIGN)}", "wrong_numbers", last)
    case("drafts", f"[{right}, {off}]", "wrong_value", last)
    case("drafts", f"[{off}, {right}]", "", last)
    case("drafts", f'{{"answers": [{off}, {off}, {right}]}}', "", last)
    case("drafts", "\n".join([off] * 50 + [right]), "", "drafts are free")
    case("drafts", "\n".join([right] * 50 + [off]), "wrong_value", last)
    case("drafts", off[:-12] + "\nNo, start again.\n" + right, "", "an unfinished draft hides nothing")
    case("drafts", off[:-1] + "\n" + right, "", "an unclosed draft hides nothing")
    case("unfinished", right + "\n" + off[:-12], "", "an unfinished object at the end does not void an earlier one")
    case("unfinished", off + "\n" + right[:-1], "wrong_value", "an unfinished object is no answer")
    case("unfinished", right + '\nOr {"cards": ["4", "3"', "", "an unfinished object voids nothing")
    for text in (right[:-1], right[:-3], right[:20], right[1:], right.replace("formula", "solution"), "{}", "[]", "", "{", "}",
                 "4*3+2+10", "formula: 4*3+2+10", '"formula": "4*3+2+10"', '{"formula"}', '{"formula":}', "null", "{{{{}}}}", "NaN",
                 '{"Formula": "4*3+2+10"}', '{"formula ": "4*3+2+10"}', '["4" "3"]', "\0", "\ud800",
                 '{"formula" "4*3+2+10"}', '{"formula" = "4*3+2+10"}', "I do not know.", '{"formula": "4*3+2+10}', "['formula']"):  # fmt: skip
        case("no answer", text, "unreadable", "no readable object with a formula")
    inner = "objects inside the chosen one are not entered"
    case("nested", f'{{"formula": {right}}}', "illegal", inner, vision=False)
    case("nested", right[:-1] + f', "draft": {off}}}', "", inner)
    case("nested", off[:-1] + f', "better": {right}}}', "wrong_value", inner)
    case("nested", '{"a":' * 7 + right + "}" * 7, "", "wrappers may be nested 8 deep")
    hidden = json.dumps({"cards": HAND, "formula": OFF, "note": right, "more": '}{"formula": "4*3+2+10"}'})
    case("strings", hidden, "wrong_value", "an object inside a string is text")
    case("strings", "Answer: " + hidden, "wrong_value", "an object inside a string is text")
    brace = json.dumps({"note": 'a " { b } } {', "cards": HAND, "formula": RIGHT})
    case("strings", "Well: " + brace, "", "braces inside strings are text")
    case("keys", right[:-1] + ', "formula": "10*4-3-2"}', "wrong_value", "of repeated keys the last")
    case("keys", off[:-1] + ', "formula": "4*3+2+10"}', "", "of repeated keys the last")
    case("keys", right.replace("formula", "\\u0066ormula"), "", "an escaped key is the key")
    case("keys", right.replace("4*3+2", "\\u0034*3\\u002b2"), "", "escapes are read")
    case("keys", right[:-1] + ', "extra": [1, {"x": null}], "z": "ü"}', "", "other fields do not matter")
    case("keys", right.replace('"4*3+2+10"', '"\\ud8004*3+2+10"'), "illegal", "a lone surrogate after decoding")
    case("long", "x" * 66_000 + right, "", "of a long response the last 64 KiB are read")
    case("long", right + "x" * 66_000, "unreadable", "of a long response the last 64 KiB are read")
    case("long", right + "\n" + "x" * 65_000, "", "within the last 64 KiB")
    for text in (
        '{"formula":',
        '"',
        "'",
        "\\",
        "{",
        "}",
        "[",
        "{}",
        '{"',
        '{"formula": [',
        " \"'{",
        '{"a":',
        '{"formula": "1',
        '{"u":"',
    ):
        case("flood", text * 200, "unreadable", "no answer in any of it")
        if text in ('"', "'", "}", "[", "{}", "\\"):
            case("flood", text * 200 + "\n" + right, "", "a real answer after it is found")
    case("flood", '{"formula": ' + "[" * 200 + "]" * 200 + "}", "unreadable", "nesting is bounded")
    case("flood", '{"formula": ' + "9" * 5000 + "}", "illegal", "a wrong type, however long", vision=False)


def lenient() -> None:
    """The JSON that models write. Strict admits none of it."""
    single = str({"cards": list(HAND), "number": [4, 3, 2, 10], "formula": RIGHT})
    for name, text in {
        "single quotes": single,
        "mixed quotes": single.replace("'formula'", '"formula"'),
        "tuples": single.replace("[", "(").replace("]", ")"),
        "Python words": single[:-1] + ", 'sure': True, 'no': False, 'n': None}",
        "trailing comma": answer(RIGHT)[:-1] + ",}",
        "trailing comma in a list": answer(RIGHT).replace("10]", "10,]"),
        "bare symbols": '{"cards": [4, 3, 2, K], "number": [4, 3, 2, 10], "formula": "4*3+2+10"}',
        "bare symbols with suits": '{"cards": [4S, 3♠, 2H, KD], "number": [4, 3, 2, 10], "formula": "4*3+2+10"}',
        "bare keys": '{cards: ["4", "3", "2", "K"], number: [4, 3, 2, 10], formula: "4*3+2+10"}',
        "raw line break": answer(RIGHT).replace("4*3+2", "4*3\n+2"),
        "raw tab": answer(RIGHT).replace("4*3+2", "4*3\t+2"),
        "NaN elsewhere": answer(RIGHT)[:-1] + ', "p": NaN, "q": -Infinity}',
        "escaped apostrophe": single[:-1] + ", 'note': 'it\\'s {'}",
        "unknown escape": answer(RIGHT)[:-1] + r', "note": "\alpha \sum"}',
        "hex escape": single.replace("4*3+2", "4\\x2a3+2"),
        "fenced": f"```python\nanswer = {single}\n```",
        "TeX times": answer("FORMULA").replace("FORMULA", r"4\times 3+2+10"),
        "TeX cdot": answer("FORMULA").replace("FORMULA", r"4\cdot 3+2+10"),
        "TeX left": answer("FORMULA").replace("FORMULA", r"\left(4*3\right)+2+10"),
        "TeX boxed": answer("FORMULA").replace("FORMULA", r"\boxed{4\times3+2+10}"),
        "TeX parentheses": answer("FORMULA").replace("FORMULA", r"\(4*3+2+10\)"),
        "TeX in single quotes": single.replace("4*3", r"4\times 3"),
    }.items():
        failure = "illegal" if name in ("TeX times", "TeX boxed") and "cdot" not in text else "unreadable"
        if name == "TeX times":
            strict_why = "in plain JSON this is a tab and 'imes'"
        elif name == "TeX boxed":
            strict_why = "in plain JSON this is a backspace and 'oxed'"
        else:
            strict_why = "not plain JSON"
        for before in ("", "Let me see. "):
            case(f"lenient: {name}", before + text, "", "read as the JSON that models write", strict=False)
            case(f"lenient: {name}", before + text, failure, strict_why, strict=True)
    fraction = answer("FORMULA", ("3", "3", "8", "8")).replace("FORMULA", r"\frac{8}{3-\frac{8}{3}}")
    case("lenient: TeX frac", fraction, "", "single backslashes are doubled", ("3", "3", "8", "8"), strict=False)
    case(
        "lenient: TeX frac",
        fraction,
        "illegal",
        "in plain JSON a form feed and 'rac'",
        ("3", "3", "8", "8"),
        strict=True,
    )
    case("lenient: TeX div", fraction.replace(r"\frac{8}{3-\frac{8}{3}}", r"8\div(3-8\div 3)"), "", "single backslashes",
         ("3", "3", "8", "8"), strict=False)  # fmt: skip
    for text, why in (
        (single.replace(RIGHT, OFF), "single quotes earn nothing"),
        (answer(OFF)[:-1] + ",}", "nor commas"),
    ):
        case("lenient: wrong", text, "wrong_value", why, strict=False)
    for bare in ("NaN", "Infinity", "-Infinity"):
        text = answer("FORMULA").replace('"FORMULA"', bare)
        case("lenient: constant", text, "illegal", "a constant is a wrong type", strict=False)
        case("lenient: constant", text, "unreadable", "a constant is not JSON", strict=True)
    case("lenient: code", "{'formula': __import__('os').getcwd()}", "unreadable", "no code is run")
    case("lenient: code", "{'formula': '4*3' + '+2+10'}", "unreadable", "no code is run")
    case("strict: order", f"{answer(OFF)} {single}", "", "the last readable object", strict=False)
    case("strict: order", f"{answer(OFF)} {single}", "unreadable", "the last object, which is not plain", strict=True)
    case("strict: order", f"{answer(RIGHT)} {single}", "unreadable", "the last object, which is not plain", strict=True)


def spoken() -> None:
    """Further spellings of an object that a person reads without doubt, and what is left unread. Strict admits none."""
    right = answer(RIGHT)
    head, quoted = right.partition('"formula"')[0], '"formula": "4*3+2+10"'
    spellings = {
        "comment: line": ('{"formula": "FORMULA" // done\n}', "{'formula': 'FORMULA', // it's } \"so\n}", '{// { "x\n"formula": "FORMULA"}',
                          '{"formula": "FORMULA"// done\n}', '{"formula": "FORMULA", // was {"formula": "1+1"}\n}'),
        "comment: block": ('{"formula": "FORMULA" /* ok */}', '{"formula": /* } " */ "FORMULA"}', '{/* {"formula": "1+1"} */ "formula": "FORMULA"}',
                           '{"formula" /* here */ : "FORMULA", /* it\'s\n } */}', '{"formula": "FORMULA" /**/}'),
        "comment: hash": ('{"formula": "FORMULA"  # done\n}', "{  # } isn't\n  'formula': 'FORMULA',  # {'formula': '1+1'}\n}"),
        "escaped braces": (r'\{"formula": "FORMULA"}', r'\{"formula": "FORMULA"\}', r'\boxed{\{"formula": "FORMULA"\}}', r'$\{"formula": "FORMULA"\}$',
                           r'\[\left\{"formula": "FORMULA"\right\}\]', r'\boxed{\{"cards": \["4", "3"\], "formula": "FORMULA"\}}',
                           r'\{"sets": "{\}", "formula": "FORMULA"\}'),
        "escaped whole": (r'{\"formula\": \"FORMULA\"}', r'"{\n  \"formula\": \"FORMULA\"\n}"'),
        "Markdown": (r'{"formula": "FORMULA", "my\_note": "a\*b"}',),
        "curly quotes": ("{“formula”: “FORMULA”}", "{„formula“: „FORMULA“}", "{‘formula’: ‘FORMULA’}", "{«formula»: «FORMULA»}",
                         '{“note”: “} {”, "formula": “FORMULA”}', "{`formula`: `FORMULA`}"),
        "no comma": ('{"cards": ["4"] "formula": "FORMULA"}', '{"formula": "FORMULA"\n"cards": ["4"]}', "{'formula': 'FORMULA' 'n': 1}",
                     '{"n": 1 "formula": "FORMULA"}', '{"formula": "FORMULA" // so\n"note": "}"}', "{n: 1 formula: 'FORMULA'}"),
        "full width": ('{"formula"："FORMULA"，"n"：1}',),
        "bare formula": ("{formula: FORMULA}", '{"formula": FORMULA}', '{formula: FORMULA, "cards": ["4"]}', '{"formula": FORMULA = 24\n}',
                         '{"formula": FORMULA // done\n}', '{"formula":FORMULA,}', '{"formula": (FORMULA)}', '{"formula": FORMULA "n": 1}'),
        "placeholders": ('{"cards": [...], "number": [...], "formula": "FORMULA"}',),
        "escaped key": (r"{'\u0066ormula': 'FORMULA'}", r'{“\u0066ormula”: "FORMULA"}', r'{"\x66ormula": "FORMULA"}', r'{formula: "FORMULA", my\_note: "x"}'),
        "bold key": ('{**formula**: "FORMULA"}', "{*formula*: FORMULA}"),
        "names of cards": ('{"note": [King of Spades, 4 of clubs], "formula": "FORMULA"}',),
    }  # fmt: skip
    for name, texts in spellings.items():
        for text in texts:
            for formula, failure in ((RIGHT, ""), (OFF, "wrong_value"), (FOREIGN, "wrong_numbers")):
                response = text.replace("FORMULA", formula)
                case(name, response, failure, "a person reads it without doubt", strict=False, vision=False)
                case(name, f"{right}\nNo: {response}", failure, "the last object decides", strict=False, vision=False)
            case(name, text.replace("FORMULA", RIGHT), "unreadable", "not plain JSON", strict=True)
    case(
        "bare formula",
        "{formula: (4*3)+2+10}",
        "",
        "a formula that begins with a parenthesis",
        strict=False,
        vision=False,
    )
    case("Markdown", r'{"formula": "4\*3\+2\+10"}', "", "an escaped sign is the sign", strict=False, vision=False)
    case("Markdown", r"\{formula: 4\*3\+2\+10\}", "", "an escaped sign is the sign", strict=False, vision=False)
    case("bare formula", "{formula: 4*3+2+K}", "unreadable", "a letter is no part of a formula")
    for text in ('{"formula": 4*3+2+10//1\n}', '{"formula": 4*3+2+10 // 1\n}', '{"formula": "4*3+2+10}', '{"formula: "4*3+2+10"}', '{formula": "4*3+2+10"}',
                 '{"formula" "4*3+2+10"}', '{"formula" = "4*3+2+10"}', '{"formula" => "4*3+2+10"}', '{"formula": "4*3" "+2+10"}', '{"formula": 4*3+2+10; "n": 1}',
                 '{"formula": f"4*3+2+10"}', '{"formula": """4*3+2+10"""}', '{"formula": "4*3+2+10" # done}', '{"formula": @}', '{formula: 4*3, +2+10}',
                 '{"formula": "4*3+2+10", "cards": ["4" "3"]}', '{"formula": "4*3+2+10" // }', '{"formula": "4*3+2+10" /* }'):  # fmt: skip
        case("in doubt", text, "unreadable", "two readers could differ, so nothing is read")
        if not text.endswith(("// }", "/* }")):
            case(
                "final",
                f"{right}\nNo: {text}",
                "unreadable",
                "an answer that cannot be read is no answer; drafts are none",
            )
    for text in ("The {formula} was easy.", '{"cards": ["4"]}', '{"fields": ["formula"]}', "\\text{formula}", '{"formula": "1+1"', "{formula", '{"n": "formula"}',
                 "{}", '{"formula", "cards"}', '{"note": "\\"formula\\": 1"}'):  # fmt: skip
        case("final", f"{right}\n{text}", "", "no further object holds the key")
    case(
        "final",
        f'{right}\n{{"cards": ["4"], oh no\n# Final: {answer(OFF)}',
        "wrong_value",
        "what is never closed hides nothing",
    )
    case("final", f"The set {{4, 3 # so\n// I say: {right}", "", "what is never closed hides nothing")
    case(
        "final",
        head + quoted + "}\n" + head + '"formula": "1+1", "x": {"formula": "4*3+2+10"}}',
        "wrong_numbers",
        "the last decides",
    )


def calls() -> None:
    """Tool calls whose arguments are a string."""
    right, off = answer(RIGHT), answer(OFF)
    why = "a string of arguments that is an object is entered"
    for text, failure in (
        (right, ""),
        (off, "wrong_value"),
        (answer(FOREIGN), "wrong_numbers"),
        (answer(BROKEN), "illegal"),
    ):
        inner = json.dumps(text)
        for call in (f'{{"name": "answer", "arguments": {inner}}}', f'{{"arguments": {inner}}}', f'{{"name": "answer", "parameters": {inner}}}',
                     f'{{"type": "tool_use", "name": "answer", "input": {inner}}}', f'<tool_call>{{"name": "answer", "arguments": {inner}}}</tool_call>',
                     f'{{"tool_calls": [{{"id": "1", "type": "function", "function": {{"name": "answer", "arguments": {inner}}}}}]}}'):  # fmt: skip
            case("call", call, failure, why)
            case("call", f"{right} No: {call}", failure, "the last decides")
            case("call", f"{call} No: {off}", "wrong_value", "the last decides")
    single = str({"formula": RIGHT})
    case(
        "call",
        json.dumps({"name": "answer", "arguments": single}),
        "",
        "read leniently inside too",
        strict=False,
        vision=False,
    )
    case(
        "call",
        f"{off} " + json.dumps({"name": "answer", "arguments": single}),
        "unreadable",
        "not plain inside",
        strict=True,
    )
    case(
        "call",
        f"{right} " + json.dumps({"name": "answer", "arguments": '{"formula": @}'}),
        "unreadable",
        "the last decides",
    )
    case("call", f"{right} " + json.dumps({"name": "search", "arguments": "24 game"}), "", "no object, no answer")
    case(
        "call",
        f"{right} " + json.dumps({"name": "search", "arguments": '{"query": "24 game"}'}),
        "",
        "the key is not in it",
    )
    case(
        "call", json.dumps({"input": right, "output": "I do not know"}), "unreadable", "no tool's name, so no tool call"
    )
    case("call", json.dumps({"note": right}), "unreadable", "an object inside another string is text")
    case(
        "call",
        json.dumps({"formula": OFF, "arguments": right}),
        "wrong_value",
        "the chosen object is not entered",
        vision=False,
    )


def thought() -> None:
    """Reasoning is no answer."""
    right, off = answer(RIGHT), answer(OFF)
    why = "reasoning is no answer"
    for text in ("<think>{}</think> I give up.", "<think>{}", "{}</think>", "<think>x</think><think>{}", "<think>\n{}\n</think>\n{{}}", "{} <think>", "<THINK>{}</Think>",
                 "<think>a<think>{}</think>", "{}</think>\n\nNo.", "< think >{}", "<think>{}</ think >.", "<think>a</think>{}<think>b</think>",
                 '{} {{"note": "</think>"}}', "<think>" + "x" * 66_000 + "{}", "<think>" * 200 + "{}", "<think>" + "</think><think>" * 200 + "{}"):  # fmt: skip
        case("reasoning", text.format(right), "unreadable", why)
    for text in ("<think>{0}</think>{1}", "{0}</think>{1}", "<think>{0}\n</think>\n\n```json\n{1}\n```", "<think>{0}</think>{0}<think>{0}</think>{1}",
                 "<think>{0}<think>{0}</think>{1}", "<think></think>{1}", "<THINK>{0}</THINK> {1}", "<think>{0}</ think >{1}", "<think>It is {{ \" '</think>{1}",
                 "<thinking>{0} {1}", "</think>" * 200 + "{1}", "<think" * 200 + "{1}"):  # fmt: skip
        for one, other, failure in ((off, right, ""), (right, off, "wrong_value")):
            case("reasoning", text.format(one, other), failure, "reading begins behind the last closing tag")
    case(
        "reasoning",
        f"<think>{off}" + "x" * 66_000 + f"</think>{right}",
        "",
        "the opening tag need not be among the last 64 KiB",
    )


def echoes() -> None:
    """An exact echo of the question's own template is passed over, and nothing else."""
    right = answer(RIGHT)
    own = '{"cards": [...], "number": [...], "formula": "..."}'
    written = (
        '{\n  "cards": [the cards you see],\n  "number": [their numbers],\n  "formula": "an expression equal to 24"\n}'
    )
    for echo in (
        own,
        written,
        '{"formula": "...", "number": [...], "cards": [...]}',
        "{'cards': [...], 'number': [...], 'formula': '...'}",
    ):
        case("echo", f"{right}\nThe form was {echo}", "", "an exact echo of a question's template")
        case("echo", f"As {echo}: {answer(OFF)} {echo} {echo}", "wrong_value", "an exact echo of a question's template")
        case("echo", echo, "unreadable", "an echo is no answer")
    case("echo", f"{right}\n{written.replace('24', '36')}", "unreadable", "another question's template")
    for text in (
        '{"cards": [...], "number": [...], "formula": "?"}',
        '{"formula": "..."}',
        '{"formula": "an expression equal to 24"}',
    ):
        case("echo", f"{right}\n{text}", "illegal", "no exact echo", strict=False, vision=False)


def seen() -> None:
    """Vision: the cards must be read right. In words they do not matter."""
    hand = ("A", "10", "K", "4")
    good, bad = "10+10+4*1", "10*10-4*1"
    for cards in (
        ["A", "10", "K", "4"], ["4", "K", "10", "A"], ["a", "T", "k", "4"], ["1", "t", "K", "4"], [1, 10, "K", 4],
        ["AS", "10S", "KS", "4S"], ["A♠", "10♥", "K♦", "4♣"], ["A♠️", "10♥️", "K♦️", "4♣️"], ["Ace", "Ten", "King", "Four"],
        ["Ace of Spades", "10 of hearts", "King of Spades", "4 of clubs"], ["ACE OF SPADES", "TEN OF H", "KING of D", "4C"],
        ["A of ♠", "10 ♥", "K d", "4 c"], [" A ", "10", " K", "4 "], ["AD", "10D", "KD", "4D"], ["1H", "TH", "kh", "4h"],
    ):  # fmt: skip
        text = json.dumps({"cards": cards, "number": [1, 10, 10, 4], "formula": good})
        case("cards", text, "", "another spelling of the right cards, suits not compared", hand)
        wrong = json.dumps({"cards": cards, "formula": bad})
        case("cards", wrong, "wrong_value", "the right cards do not mend a wrong formula", hand)
    for cards in (
        ["A", "10", "K"], ["A", "10", "K", "4", "4"], ["A", "10", "Q", "4"], ["A", "10", "13", "4"], ["A", "10", "10", "4"], [],
        ["A", "10", "K", "5"], None, "A 10 K 4", {"A": 1}, [["A", "10", "K", "4"]], [True, "10", "K", "4"], [1.0, 10, "K", 4],
        ["A", "10", "K", "4", ""], ["A", "10", "K", None], ["А", "10", "K", "4"], ["A", "１０", "K", "4"], ["A", "1O", "K", "4"],
        ["A", "10", "\u212a", "4"], ["A", "10", "K" * 500, "4"], ["Ace of Nothing", "10", "K", "4"], ["A"] * 500,
    ):  # fmt: skip
        for formula, price in ((good, -1.5), (bad, -2.5), ("24", -3.5), ("4*(", -4.5)):
            if price == -1.5 or cards in (["A", "10", "Q", "4"], None):
                text = json.dumps({"cards": cards, "formula": formula})
                case("misread", text, "misread", "min(category, 0) - 1.5", hand, vision=True, reward=price)
        case(
            "misread",
            json.dumps({"cards": cards, "formula": good}),
            "",
            "in words cards do not matter",
            hand,
            vision=False,
        )
    case(
        "misread", json.dumps({"formula": good}), "misread", "missing cards are misread", hand, vision=True, reward=-1.5
    )
    case("misread", json.dumps({"formula": good}), "", "in words cards do not matter", hand, vision=False)
    case("misread", '{"cards": [K, Q, 10, A], "formula": "4*3+2+10"}', "misread", "bare symbols, other cards", vision=True,
         strict=False, reward=-1.5)  # fmt: skip
    case(
        "cards",
        '{"cards": [K, 4, 3, 2], "formula": "4*3+2+10"}',
        "",
        "bare symbols, any order",
        strict=False,
        vision=True,
    )
    case("cards", '{"cards": [10, 4, 3, 2], "formula": "4*3+2+10"}', "misread", "10 is not the king, whatever the rule",
         vision=True, reward=-1.5)  # fmt: skip
    for number in (
        [4, 3, 2, 10],
        ["4", "3", "2", "10"],
        [1],
        None,
        "x",
        [True],
        [float(4)],
        [10**30],
        ["9" * 99],
        [[]],
    ):
        text = json.dumps({"cards": HAND, "number": number, "formula": RIGHT})
        case("number", text, "", "numbers are a metric, not a condition")


def nothing_read_in_vision() -> None:
    """Where nothing is read there are no cards either: in vision that costs the misreading too."""
    for vector in list(vectors):
        if vector["expect"]["failure"] == "unreadable" and "vision" not in vector:
            expect = vector["expect"] | {"reward": -4.5}
            vectors.append(vector | {"name": vector["name"] + " in vision", "vision": True, "expect": expect})
            vector["vision"] = False


def main() -> None:
    sections = (
        spellings,
        other_puzzles,
        equations,
        numbers,
        illegal,
        reading,
        lenient,
        spoken,
        calls,
        thought,
        echoes,
        seen,
    )
    for section in sections:
        section()
    nothing_read_in_vision()
    path = Path(__file__).parents[1] / "assets" / "vectors" / "generalpoints.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(vector) + "\n" for vector in vectors), encoding="ascii")
    paid = sum(vector["expect"]["is_correct"] for vector in vectors)
    print(f"{path.name}: {len(vectors)} cases, {paid} to be paid, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
