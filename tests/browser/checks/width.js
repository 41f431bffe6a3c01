// Says whether the page is wider than the screen, and by which elements.
() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((each) => each.getBoundingClientRect().right > room + 1);
  return [`the page needs ${document.documentElement.scrollWidth} of ${room} px: `
    + wide.slice(-3).map((each) => each.outerHTML.slice(0, 120)).join(" | ")];
}
