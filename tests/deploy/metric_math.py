"""What CloudWatch's metric math makes of single figures: as much of it as the template uses.

Its expressions read as Python's. A metric without a figure is None; arithmetic with one has none either.
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html)
"""

import ast
import operator

ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
COMPARISONS = {ast.Gt: operator.gt, ast.Lt: operator.lt, ast.GtE: operator.ge, ast.LtE: operator.le, ast.Eq: operator.eq}


def evaluate(expression, figures):
    return value(ast.parse(expression, mode="eval").body, figures)


def value(node, figures):
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return figures[node.id]
    if isinstance(node, ast.BinOp):
        left, right = value(node.left, figures), value(node.right, figures)
        if left is None or right is None or (isinstance(node.op, ast.Div) and right == 0):
            return None
        return ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.Compare):
        left, right = value(node.left, figures), value(node.comparators[0], figures)
        missing = left is None or right is None
        return None if missing else float(COMPARISONS[type(node.ops[0])](left, right))
    if isinstance(node, ast.Call):
        return call(node.func.id, node.args, figures)
    raise ValueError(f"not among what the template uses: {ast.dump(node)}")


def call(name, arguments, figures):
    if name == "IF":
        condition = value(arguments[0], figures)
        # CloudWatch takes no figure for a condition that does not hold.
        return value(arguments[1 if condition else 2], figures)
    if name == "FILL":
        filled = value(arguments[0], figures)
        return value(arguments[1], figures) if filled is None else filled
    raise ValueError(f"not among what the template uses: {name}")
