"""Builds the renderer of messages that the settings describe. Only what tells people imports it: it needs Jinja2."""

from pathlib import Path

from nbsweep.adapters.messages.environment import make_templates
from nbsweep.adapters.messages.own import own_templates
from nbsweep.adapters.messages.renderer import Renderer
from nbsweep.settings import Settings


def make_renderer(settings: Settings) -> Renderer:
    """Build the renderer; templates of the user's own are tried first.

    Raises:
        ConfigurationError: a template of the user's own cannot be used; holds every mistake that was found.
    """
    folder = settings.messages.templates
    templates = own_templates(Path(folder)) if folder is not None else make_templates({})
    return Renderer(templates, settings.messages.languages, settings.calendar.timezone)
