"""The rules, the verdict, and the checks of exemptions and of the grace, of which `policy` makes its decision. Pure."""
