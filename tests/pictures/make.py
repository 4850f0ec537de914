#!/usr/bin/env python3
"""Makes the test pictures beside this file and the table of them in README.md.

    python3 -m venv target/pictures-venv
    target/pictures-venv/bin/pip install -r tests/pictures/requirements.txt
    target/pictures-venv/bin/python tests/pictures/make.py

The same versions make the same bytes. What is committed is what tests use: `make test` needs none of this.
"""
import pathlib

from making import gifs, jpegs, pngs, webps

HERE = pathlib.Path(__file__).parent
MARK = "<!-- made by make.py -->\n"


def main():
    pictures = [p for kind in (jpegs, pngs, gifs, webps) for p in kind.pictures()]
    for old in HERE.iterdir():
        if old.suffix in (".jpg", ".png", ".gif", ".webp"):
            old.unlink()
    lines = ["| file | stored | orientation | alpha | coding, or why it is refused | what it is |", "|---|---|---|---|---|---|"]
    for p in pictures:
        (HERE / p.name).write_bytes(p.body)
        size = f"{p.size[0]} × {p.size[1]}" if p.size else "-"
        lines.append(f"| `{p.name}` | {size} | {p.orientation} | {'yes' if p.alpha else 'no'} | {p.coding} | {p.what} |")
    readme = HERE / "README.md"
    head = readme.read_text().split(MARK)[0]
    readme.write_text(head + MARK + "\n" + "\n".join(lines) + "\n")
    print(f"{len(pictures)} pictures, {sum(len(p.body) for p in pictures)} bytes")


main()
