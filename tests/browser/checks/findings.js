// Says what axe-core finds by some of its rules, or by all.
async (rules) => (await axe.run({resultTypes: ["violations"], ...rules})).violations.map((each) =>
  `${each.id}: ${each.help}: ` + each.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | "))
