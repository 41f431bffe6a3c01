"""What several pages show, and the words and forms that they share."""
