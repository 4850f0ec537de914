"""What schemathesis cannot make up: ids that are there, tokens that fit, pictures that are pictures.

It makes most requests of random values all the same; here some of them become ones that get further.
"""

import hashlib
import json
import os

import schemathesis

KNOWN = json.loads(os.environ["SHARER_KNOWN"])
PICTURES = [open(path, "rb").read() for path in KNOWN["pictures"]]


def choose(values, seed, of):
    """One of `values` in `of` less than all cases, by what was generated, so that a run can be run again."""
    digest = hashlib.sha256(repr(seed).encode()).digest()
    return None if digest[0] % of == 0 else values[digest[1] % len(values)]


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if path_parameters and "id" in path_parameters:
        known = choose(KNOWN["ids"], path_parameters, 3)
        if known:
            path_parameters["id"] = known
            if "file" in path_parameters:
                path_parameters["file"] = choose(KNOWN["files"], path_parameters, 4) or path_parameters["file"]
    return path_parameters


@schemathesis.hook
def before_call(context, case, kwargs):
    """Shows the token that fits, for some of the images: the others stay to be looked at."""
    token = KNOWN["tokens"].get((case.path_parameters or {}).get("id"))
    if token and case.path.startswith("/i/{id}") and not case.path.endswith(".json"):
        case.query = {**(case.query or {}), "token": token}


@schemathesis.hook
def map_body(context, body):
    picture = choose(PICTURES, body, 3)
    if picture is None:
        return body
    if isinstance(body, dict) and "image" in body:
        return {**body, "image": picture}
    return picture if isinstance(body, bytes) else body
