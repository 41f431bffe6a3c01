"""Charts as SVG for pages and reports: values in, text out.

The SVG has no script, no style and no font. It uses presentation attributes, which read in any colour and in grey print, and
classes, to which `style.css` gives colours for light and dark screens. Widths are shares of the place of the chart, so that its
text has the same size on a phone and on a desk.

pygal draws such charts too, but always writes a `style` and a `script` element into them, which the content security policy of
the pages forbids, and none of its charts has a description.
"""
