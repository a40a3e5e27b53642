"""What a template of dbt's depends on, read from its Jinja syntax tree without rendering it."""

from recce_meta.extractors.jinja.blocks import Block, blocks_of
from recce_meta.extractors.jinja.library import ProjectMacros
from recce_meta.extractors.jinja.reading import (
    JinjaDependencies,
    TemplateFacts,
    jinja_dependencies,
    read_template,
    template_text,
)

__all__ = [
    "Block",
    "JinjaDependencies",
    "ProjectMacros",
    "TemplateFacts",
    "blocks_of",
    "jinja_dependencies",
    "read_template",
    "template_text",
]
