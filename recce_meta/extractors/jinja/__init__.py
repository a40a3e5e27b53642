"""Static analysis of dbt templates: their dependencies, from the Jinja syntax tree, without rendering."""

from recce_meta.extractors.jinja.calls import ProjectMacros
from recce_meta.extractors.jinja.dependencies import (
    JinjaDependencies,
    TemplateFacts,
    jinja_dependencies,
    read_template,
    template_text,
)
from recce_meta.extractors.jinja.grammar import Block, blocks_of, broken_block

__all__ = [
    "Block",
    "JinjaDependencies",
    "ProjectMacros",
    "TemplateFacts",
    "blocks_of",
    "broken_block",
    "jinja_dependencies",
    "read_template",
    "template_text",
]
