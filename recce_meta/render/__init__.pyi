from recce_meta.render.limits import Limits as Limits
from recce_meta.render.project import TemplateContext as TemplateContext
from recce_meta.render.renderer import SimpleTemplateRenderer as SimpleTemplateRenderer

__all__: list[str]
