"""One listing of a survey: its pages, what an offset means, and the questions about what it leaves out."""
