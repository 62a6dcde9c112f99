"""A contract for import-linter: in every feature all modules but adapters are rules."""

import sys

from grimp import ImportGraph
from importlinter import ContractCheck, fields
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression


class RulesContract(ForbiddenContract):
    """Forbids imports to every module of a feature except its adapters.

    Configuration options, beside those of `forbidden`:
        - features: the packages of features, such as `my_app.core.*`.
        - not_features: names of packages beside them that are none.
        - adapters: names of a feature's modules that may import what is forbidden.
        - allowed_packages: if given, every other package of third parties is forbidden,
          whether or not it is listed.

    A module is held to the contract without being listed. `source_modules` lists others
    that are held to it as well.
    """

    type_name = "rules"

    features = fields.ModuleExpressionField()
    not_features = fields.SetField(subfield=fields.StringField())
    adapters = fields.SetField(subfield=fields.StringField())
    allowed_packages = fields.SetField(subfield=fields.StringField(), required=False)
    source_modules = fields.SetField(
        subfield=fields.ModuleExpressionField(), required=False
    )

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find the rules of each feature and check them like listed modules."""
        # A contract's fields become what was parsed of them.
        given = vars(self)
        features, others, adapters = (
            given[name] for name in ("features", "not_features", "adapters")
        )
        rules = {
            ModuleExpression(module)
            for feature in module_expressions_to_modules(graph, [features])
            if last(feature.name) not in others
            for module in graph.find_children(feature.name)
            if last(module) not in adapters
        }
        given["source_modules"] = rules | set(given.get("source_modules") or ())
        allowed = given.get("allowed_packages")
        if allowed is not None:
            others = packages(graph) - allowed
            given["forbidden_modules"] |= {ModuleExpression(name) for name in others}
        checked: ContractCheck = super().check(graph, verbose)
        return checked


def packages(graph: ImportGraph) -> set[str]:
    """Name the packages of third parties that are imported somewhere."""
    outside = {name for name in graph.modules if graph.is_module_squashed(name)}
    return outside - sys.stdlib_module_names


def last(module: str) -> str:
    """Return the last part of a module's name."""
    return module.rpartition(".")[2]
