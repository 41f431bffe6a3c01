"""The part that all charts share: the frame, the lines of the axis, and the labels below."""

from collections.abc import Callable, Mapping, Sequence
from unicodedata import east_asian_width
from xml.etree.ElementTree import Element

from msgspec import Struct

from nbsweep.charts.drawing import add, percent, shorten, start, write
from nbsweep.charts.model import Heading, Tone
from nbsweep.charts.scale import every

LEFT = 12
"""Where the plot begins, in percent of the width: room for the labels of the axis."""
WIDTH = 87
"""The width of the plot, in percent."""
HEIGHT_PX = 160
"""The height of the plot."""
TOP_PX = 14
"""Room above the plot: for a line of text."""
LEGEND_ROW_PX = 18
BOTTOM_PX = 24
NARROWEST_PX = 280
"""The width of the plot on a phone."""
LETTER_PX, WIDE_LETTER_PX = 7, 13
BETWEEN_LABELS_PX = 8
LONGEST_LABEL = 12
"""Characters of a label below the plot."""
OPACITY: Mapping[Tone, float] = {Tone.GOOD: 0.55, Tone.BAD: 1, Tone.DOUBTFUL: 0.25, Tone.NEUTRAL: 0.05}
"""Of each tone where no style sheet gives it a colour."""


class Plot(Struct, frozen=True):
    """The place where a chart draws."""

    root: Element
    slots: int
    """The number of places along the axis."""
    ticks: Sequence[float]
    top: int
    """Where the plot begins, in pixels from the top of the drawing."""

    def height(self, value: float) -> float:
        """Return how high a value reaches."""
        return value / self.ticks[-1] * HEIGHT_PX

    @property
    def slot(self) -> float:
        """The width of a slot, in percent."""
        return WIDTH / self.slots

    def across(self, slot: float) -> str:
        """Return where a slot begins, as a share of the whole width; its middle is at `slot + 0.5`."""
        return percent(LEFT + self.slot * slot)

    def down(self, value: float) -> float:
        """Return the place of a value from the top of the whole drawing."""
        return self.top + HEIGHT_PX - self.height(value)


def open_plot(
    heading: Heading, slots: int, ticks: Sequence[float], label: Callable[[float], str], *, legend_rows: int = 0
) -> Plot:
    """Begin a chart with the lines of its axis, and leave room for the legend above."""
    top = TOP_PX + legend_rows * LEGEND_ROW_PX
    root = start(heading.id, heading.title, heading.description, top + HEIGHT_PX + BOTTOM_PX)
    plot = Plot(root, max(1, slots), tuple(ticks), top)
    lines = add(plot.root, "g", "grid", stroke="currentColor", stroke_opacity=0.25)
    texts = add(plot.root, "g", "axis", text_anchor="end")
    for tick in ticks:
        y = plot.down(tick)
        add(lines, "line", x1=percent(LEFT), x2=percent(LEFT + WIDTH), y1=y, y2=y)
        write(texts, label(tick), "", x=percent(LEFT - 1), y=y, dy="0.35em")
    return plot


def label_slots(plot: Plot, labels: Sequence[str], offset: float = 0.5) -> None:
    """Write the labels below the plot, as many as fit on a phone; `offset` is their place in their slots."""
    texts = add(plot.root, "g", "axis", text_anchor="middle")
    y = plot.top + HEIGHT_PX + BOTTOM_PX - 7
    written = [shorten(label, LONGEST_LABEL) for label in labels]
    most = NARROWEST_PX // (max(map(_width_px, written), default=LETTER_PX) + BETWEEN_LABELS_PX)
    for slot in range(0, len(labels), every(len(labels), most)):
        # A label at the right end would leave the drawing.
        anchor = {"text_anchor": "end"} if slot + offset == plot.slots else {}
        write(texts, written[slot], "", x=plot.across(slot + offset), y=y, **anchor)


def _width_px(label: str) -> int:
    """Return about how wide a label is; a Chinese character takes almost twice the room of a letter."""
    return sum(WIDE_LETTER_PX if east_asian_width(each) in "WF" else LETTER_PX for each in label)


def add_parts(plot: Plot) -> Element:
    """Add a group for the parts of bars; their edges tell them from each other in any colour and in grey print."""
    return add(plot.root, "g", "parts", stroke="currentColor", stroke_width=0.75)


def draw_part(parent: Element, tone: Tone, **place: object) -> None:
    """Draw a part of a bar, or its sign in the legend; `place` is that of a rectangle."""
    add(parent, "rect", tone, fill_opacity=OPACITY[tone], **place)
